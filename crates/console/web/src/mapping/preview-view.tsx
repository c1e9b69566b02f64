// Records beside the documents that the draft makes of them.

import { memo, useEffect, useMemo, useState } from 'react';
import type { Outcome } from '../api/types';
import { useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { Badge, ErrorView, type IconName, Mistakes, Notice, type Tone } from '../ui';
import { Said } from '../letters/said';
import { difference, type Line, linesOfText } from './difference';
import type { Compared, PreviewState } from './preview';
import { mappingWords } from './words';

const LOOK: Record<Outcome, { tone: Tone; icon: IconName }> = {
  new: { tone: 'good', icon: 'plus' },
  changed: { tone: 'good', icon: 'edit' },
  unchanged: { tone: 'quiet', icon: 'check' },
  older: { tone: 'quiet', icon: 'history' },
  filtered: { tone: 'quiet', icon: 'stop' },
  refused: { tone: 'bad', icon: 'cross' },
};

/** The words for what would happen to a record. */
function useOutcomeWords(): Record<Outcome, string> {
  const t = useTexts(words);
  return {
    new: t.outcomeNew,
    changed: t.outcomeChanged,
    unchanged: t.outcomeUnchanged,
    older: t.outcomeOlder,
    filtered: t.outcomeFiltered,
    refused: t.outcomeRefused,
  };
}

/** The preview. */
export const PreviewView = memo(function PreviewView({ preview, n_letters }: { preview: PreviewState; n_letters: number }) {
  const t = useTexts(mappingWords);
  const outcomes = useOutcomeWords();
  const { records } = preview;
  const [at, setAt] = useState(0);
  const n_records = records?.length ?? 0;
  useEffect(() => setAt((old) => Math.min(old, Math.max(0, n_records - 1))), [n_records]);
  const shown = records?.[at];
  const n_bad = records?.filter((record) => record.now.outcome === 'refused').length ?? 0;
  return (
    <section className="section map-preview" aria-label={t.preview} aria-busy={preview.isStale || undefined}>
      <div className="section-head">
        <h2>
          {t.preview} <small className="muted">{n_letters > 0 ? t.previewLetters(n_letters) : t.previewSamples}</small>
        </h2>
        {preview.isStale && <span className="muted"><span className="spinner" aria-hidden="true" /> {t.updating}</span>}
      </div>
      <div role="status" aria-live="polite">
        {!preview.isStale && records && n_letters > 0 && n_records > 0 && (
          n_bad === 0 ? <Notice tone="good" title={t.allGood(n_records)} /> : <Notice tone="warning" title={t.someBad(n_bad, n_records)} />
        )}
        {!preview.isStale && records && n_letters === 0 && n_bad > 0 && <Notice tone="warning" title={t.someBad(n_bad, n_records)} />}
      </div>
      {preview.error && <ErrorView error={preview.error} />}
      {preview.mistakes.length > 0 && (
        <Notice tone="bad" title={t.previewMistakes}><Mistakes mistakes={preview.mistakes} /></Notice>
      )}
      {records && n_records === 0 && <p className="muted">{t.noRecords}</p>}
      {records && n_records > 1 && (
        <div className="map-records" role="group" aria-label={t.previewRecords}>
          {records.map((record, idx) => {
            const look = LOOK[record.now.outcome];
            return (
              <button key={idx} type="button" className="map-record" aria-pressed={idx === at} onClick={() => setAt(idx)}>
                <Badge tone={look.tone} icon={look.icon}>{record.now.key ?? `#${record.now.letter ?? idx + 1}`}</Badge>
                <span className="sr-only">{outcomes[record.now.outcome]}</span>
              </button>
            );
          })}
        </div>
      )}
      {shown && <Pair key={at} record={shown} />}
    </section>
  );
});

function Pair({ record }: { record: Compared }) {
  const t = useTexts(mappingWords);
  const outcomes = useOutcomeWords();
  const { now, before } = record;
  const look = LOOK[now.outcome];
  const source = useMemo(() => linesOfText(now.record), [now.record]);
  const documents = useMemo(
    () => now.documents.map((document, idx) => difference(before?.documents[idx], document)),
    [now.documents, before],
  );
  const isMarked = documents.some((lines) => lines.some((line) => line.mark !== undefined));
  return (
    <>
      <p className="map-outcome">
        <span className="mono">{now.key}</span> <Badge tone={look.tone} icon={look.icon}>{outcomes[now.outcome]}</Badge>
        {isMarked && (
          <span className="map-legend muted">
            {t.marksLead} <span className="mark-added">+ {t.marks.added}</span> <span className="mark-changed">~ {t.marks.changed}</span>{' '}
            <span className="mark-removed">− {t.marks.removed}</span>
          </span>
        )}
      </p>
      {now.reason !== undefined && <Notice tone={now.outcome === 'refused' ? 'bad' : 'info'}><p><Said text={now.reason} /></p></Notice>}
      <div className="map-pair">
        <div>
          <h3>{t.previewSource}</h3>
          <Lines lines={source} label={t.previewSource} />
        </div>
        <div>
          {documents.length === 0 && (
            <>
              <h3>{t.previewDocument(1, 1)}</h3>
              <p className="muted map-no-document">{t.noDocument}</p>
            </>
          )}
          {documents.map((lines, idx) => (
            <div key={idx}>
              <h3>{t.previewDocument(idx + 1, documents.length)}</h3>
              <Lines lines={lines} label={t.previewDocument(idx + 1, documents.length)} />
            </div>
          ))}
        </div>
      </div>
    </>
  );
}

const SIGN = { added: '+', changed: '~', removed: '−' } as const;

/** A value, line by line, with its marks. */
function Lines({ lines, label }: { lines: readonly Line[]; label: string }) {
  const t = useTexts(mappingWords);
  return (
    <div className="json">
      <pre role="region" tabIndex={0} aria-label={label}>
        {lines.map((line, idx) => (
          <span key={idx} className={`map-json-line${line.mark ? ` mark-${line.mark}` : ''}`}>
            <span className="map-sign" aria-hidden={line.mark === undefined}>
              {line.mark ? <span title={t.marks[line.mark]}>{SIGN[line.mark]}</span> : ' '}
            </span>
            {'  '.repeat(line.depth)}
            {line.name !== undefined && <><span className="json-key">{JSON.stringify(line.name)}</span>: </>}
            <span className={CLASSES[line.type]}>{line.text}</span>
            {'\n'}
          </span>
        ))}
      </pre>
    </div>
  );
}

const CLASSES: Record<Line['type'], string | undefined> = {
  text: 'json-text',
  number: 'json-number',
  boolean: 'json-word',
  null: 'json-word',
  bracket: undefined,
};
