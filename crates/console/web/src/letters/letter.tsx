// One refused record in plain words: who refused it, why, and what to do.

import { type ReactNode, useId, useState } from 'react';
import type { DeadLetter, Stage } from '../api/types';
import { useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { links } from '../router';
import { useIsOperator } from '../session';
import { Badge, Button, JsonView, LinkButton, Time, type Tone } from '../ui';
import { RawPageButton } from '../trace/raw-page';
import { Said } from './said';
import { letterWords } from './words';

const TONES: Record<Stage, Tone> = { key: 'bad', mapping: 'bad', target: 'bad', unknown: 'warning' };

/** What people call a letter: its number, or its key. */
export function nameOfLetter(letter: DeadLetter): string {
  return letter.number ?? letter.key ?? `#${letter.id}`;
}

/** The names of the stages. */
export function useStageWords(): Record<Stage, string> {
  const t = useTexts(words);
  return { key: t.stageKey, mapping: t.stageMapping, target: t.stageTarget, unknown: t.stageUnknown };
}

/** A letter as a card. */
export function LetterCard({ letter, isOpen = false, isSending = false, select, heading = 'h3', hasTrace = true, onReplay, onArrived }: {
  letter: DeadLetter;
  /** Whether the record is shown at first. */
  isOpen?: boolean;
  /** Whether it is being sent again. */
  isSending?: boolean;
  /** The box that selects it, in a list. */
  select?: ReactNode;
  heading?: 'h2' | 'h3';
  /** Whether it leads to the search for its record. */
  hasTrace?: boolean;
  onReplay?: (() => void) | undefined;
  onArrived?: (() => void) | undefined;
}) {
  const t = useTexts(letterWords);
  const w = useTexts(words);
  const stages = useStageWords();
  const isOperator = useIsOperator();
  const [shown, setShown] = useState(isOpen);
  const id = useId();
  const Heading = heading;
  const name = nameOfLetter(letter);
  const who = { key: t.whoKey, mapping: t.whoMapping, target: t.whoTarget, unknown: t.whoUnknown }[letter.stage];
  const advice = { key: t.doKey, mapping: t.doMapping, target: t.doTarget, unknown: t.doUnknown }[letter.stage];
  return (
    <article className="letter" aria-labelledby={`${id}-name`} data-letter={letter.id} aria-busy={isSending || undefined}>
      <header className="letter-head">
        {select}
        <Heading id={`${id}-name`} className="letter-name num">{name}</Heading>
        <Badge tone={TONES[letter.stage]} icon={letter.stage === 'unknown' ? 'warning' : 'cross'}>{stages[letter.stage]}</Badge>
        {isSending && <Badge tone="busy" icon="dots">{t.sending}</Badge>}
        <span className="letter-at muted"><Time at={letter.at} /></span>
      </header>
      <p className="letter-reason"><Said text={letter.reason} /></p>
      <p className="muted"><Said text={t.both(who, advice)} /></p>
      <div className="letter-acts">
        <Button small icon={shown ? 'down' : 'forward'} aria-expanded={shown} aria-controls={`${id}-record`} onClick={() => setShown(!shown)}>
          {t.showRecord}
        </Button>
        {isOperator && letter.stage !== 'key' && (
          <LinkButton small icon="edit" href={links.mapping(letter.flow, { letters: letter.id })} aria-label={`${t.mendThis}: ${name}`}>
            {t.mend}
          </LinkButton>
        )}
        {isOperator && onReplay && (
          <Button small icon="play" aria-label={`${t.replayThis}: ${name}`} disabled={isSending} onClick={onReplay}>{t.replayThis}</Button>
        )}
        {isOperator && onArrived && letter.stage === 'unknown' && (
          <Button small icon="check" aria-label={`${t.arrived}: ${name}`} disabled={isSending} onClick={onArrived}>{t.arrived}</Button>
        )}
        {hasTrace && letter.key !== undefined && (
          <LinkButton small icon="route" href={links.trace(letter.number ?? letter.key)} aria-label={`${t.trace}: ${name}`}>{t.trace}</LinkButton>
        )}
      </div>
      <div id={`${id}-record`} hidden={!shown}>
        {shown && (
          <>
            <dl className="facts-inline">
              {letter.number !== undefined && <div><dt>{t.number}</dt><dd className="mono">{letter.number}</dd></div>}
              <div><dt>{w.key}</dt><dd className="mono">{letter.key ?? t.noKey}</dd></div>
              <div><dt>{t.at}</dt><dd><Time at={letter.at} only="full" /></dd></div>
              <div><dt>{t.page}</dt><dd><RawPageButton flow={letter.flow} page={letter.page} find={name} /></dd></div>
            </dl>
            <JsonView text={letter.record} label={`${t.record}: ${name}`} />
          </>
        )}
      </div>
    </article>
  );
}
