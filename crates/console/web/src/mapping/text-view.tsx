// The text of the whole file, with its line numbers and the mistakes at their lines.

import { type Ref, useEffect, useId, useImperativeHandle, useRef } from 'react';
import type { Mistake } from '../api/types';
import { useTexts } from '../i18n';
import { Button, Icon, Notice } from '../ui';
import { mappingWords } from './words';

/** Where each line of a text begins. */
function startOf(text: string, line: number): number {
  let at = 0;
  for (let n = 1; n < line; n += 1) {
    const end = text.indexOf('\n', at);
    if (end < 0) return at;
    at = end + 1;
  }
  return at;
}

/** What can be asked of the text. */
export interface TextHandle {
  /** Goes to a line and selects it. */
  goTo: (line: number, column?: number) => void;
}

/** The text. */
export function TextView({ text, file, mistakes, canEdit, line, ref, onType }: {
  text: string;
  file: string;
  mistakes: readonly Mistake[];
  canEdit: boolean;
  /** A line to go to at once. */
  line: number | undefined;
  ref?: Ref<TextHandle>;
  onType: (text: string) => void;
}) {
  const t = useTexts(mappingWords);
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const goTo = (to: number, column = 1) => {
    const element = area.current;
    if (!element) return;
    const start = startOf(element.value, to);
    const end = element.value.indexOf('\n', start);
    element.focus({ preventScroll: true });
    element.setSelectionRange(column > 1 ? start + column - 1 : start, end < 0 ? element.value.length : end);
    const height = element.clientHeight / Math.max(1, element.rows);
    element.parentElement?.scrollTo({ top: Math.max(0, (to - 4) * height) });
    element.parentElement?.scrollIntoView({ block: 'nearest' });
  };
  useImperativeHandle(ref, () => ({ goTo }));
  useEffect(() => {
    if (line !== undefined) goTo(line);
  }, [line]);

  const lines = text.split('\n');
  const at = new Map<number, Mistake[]>();
  for (const mistake of mistakes) at.set(mistake.line, [...(at.get(mistake.line) ?? []), mistake]);
  return (
    <div className="map-text">
      <p className="muted" id={`${id}-hint`}>{t.textHint}</p>
      <div className="map-text-box">
        <ol className="map-gutter" aria-hidden="true">
          {lines.map((_, idx) => {
            const here = at.get(idx + 1);
            const tone = here === undefined ? undefined : here.every((one) => one.is_warning) ? 'is-warning' : 'is-bad';
            return <li key={idx} className={tone} title={here?.map((one) => one.message).join('\n')}>{idx + 1}</li>;
          })}
        </ol>
        <textarea
          ref={area}
          className="map-text-area"
          aria-label={t.textLabel(file)}
          aria-describedby={`${id}-hint ${id}-mistakes`}
          aria-invalid={mistakes.some((mistake) => !mistake.is_warning) || undefined}
          spellCheck={false}
          autoCapitalize="off"
          wrap="off"
          cols={Math.max(40, ...lines.map((one) => one.length + 4))}
          rows={lines.length + 1}
          readOnly={!canEdit}
          value={text}
          onChange={(event) => onType(event.target.value)}
        />
      </div>
      <div id={`${id}-mistakes`} role="status" aria-live="polite">
        {mistakes.length === 0 ? (
          <Notice tone="good"><p>{t.noMistakes}</p></Notice>
        ) : (
          <ul className="mistakes">
            {mistakes.map((mistake, idx) => (
              <li key={idx} className={mistake.is_warning ? 'mistake-warning' : 'mistake-error'}>
                <Icon name={mistake.is_warning ? 'warning' : 'cross'} />
                <div>
                  <p>{mistake.message}</p>
                  {mistake.help && <p className="muted">{mistake.help}</p>}
                  <p><Button small look="quiet" onClick={() => goTo(mistake.line, mistake.column)}>{t.goTo(mistake.line)}</Button></p>
                </div>
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}
