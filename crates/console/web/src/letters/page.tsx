// The dead letters of a flow: found, read, mended, sent again.

import { useEffect, useId, useRef, useState } from 'react';
import { api } from '../api/client';
import type { DeadLetter, DeadLetterQuery, Stage } from '../api/types';
import { useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { useAct, useLoad } from '../load';
import { links, navigate, useLocation } from '../router';
import { useIsOperator } from '../session';
import { AskDialog, Badge, Button, Empty, Field, LinkButton, Notice, Page, Show, useToasts } from '../ui';
import { LetterCard, nameOfLetter, useStageWords } from './letter';
import { useReplaying } from './replaying';
import { letterWords } from './words';

const PAGE = 50;
/** As many as the server gives at once. */
const MOST = 500;
const STAGES: readonly Stage[] = ['key', 'mapping', 'target', 'unknown'];

/** The dead letters of a flow. */
export default function LettersPage({ flow }: { flow: string }) {
  const t = useTexts(letterWords);
  const w = useTexts(words);
  const stages = useStageWords();
  const isOperator = useIsOperator();
  const toasts = useToasts();
  const { query } = useLocation();
  const text = query.get('text') ?? '';
  const stage = STAGES.find((one) => one === query.get('stage'));
  const only = query.get('letter');
  const id = useId();

  const filter: DeadLetterQuery = {};
  if (text !== '') filter.text = text;
  if (stage !== undefined) filter.stage = stage;
  // After something has changed, as many are read again as were shown.
  const n_shown = useRef(PAGE);
  const loaded = useLoad(`letters/${flow}/${text}/${stage ?? ''}`, async (signal) => {
    const page = await api.deadLetters(flow, { ...filter, limit: Math.min(MOST, Math.max(PAGE, n_shown.current)) }, signal);
    n_shown.current = page.letters.length;
    return page;
  });
  const letters = loaded.data?.letters ?? [];

  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  useEffect(() => {
    n_shown.current = PAGE;
    setSelected(new Set());
  }, [flow, text, stage]);
  const chosen = letters.filter((letter) => selected.has(letter.id)).map((letter) => letter.id);
  const toggle = (letter: number) =>
    setSelected((old) => {
      const next = new Set(old);
      if (!next.delete(letter)) next.add(letter);
      return next;
    });

  const [outcome, setOutcome] = useState<{ gone: number; left: number; wait: number }>();
  const ending = useRef(false);
  const replaying = useReplaying(flow, () => void settle());
  const settle = async () => {
    if (ending.current) return;
    ending.current = true;
    try {
      const { n_sent } = replaying;
      const [now, page] = await Promise.all([
        api.flow(flow),
        api.deadLetters(flow, { ...filter, limit: Math.min(MOST, Math.max(PAGE, n_shown.current)) }),
      ]);
      loaded.setData(() => page);
      n_shown.current = page.letters.length;
      // A letter that is refused again is another one: their count tells how many there are of them.
      const gone = Math.max(0, Math.min(n_sent, replaying.total - page.total));
      const wait = Math.min(gone, now.pending);
      replaying.end();
      setOutcome({ gone: gone - wait, left: n_sent - gone, wait });
      setSelected(new Set());
    } catch (cause) {
      toasts.bad(cause);
    } finally {
      ending.current = false;
    }
  };

  // The mapping editor has sent some again and leads here.
  const sent = query.get('sent');
  const before = Number(query.get('of') ?? 0);
  const { begin, taken } = replaying;
  useEffect(() => {
    if (sent === null) return;
    begin(sent.split(',').filter((part) => /^\d+$/.test(part)).map(Number), before);
    taken();
    navigate(links.letters(flow), { replace: true });
  }, [sent, before, begin, taken, flow]);

  const [isSending, send] = useAct();
  const replay = (which: number[] | undefined) =>
    send(async () => {
      setOutcome(undefined);
      replaying.begin(which ?? letters.map((letter) => letter.id), loaded.data?.total ?? 0, which === undefined);
      try {
        await api.replay(flow, which ? { letters: which } : {});
        taken();
      } catch (cause) {
        replaying.end();
        toasts.bad(cause);
      }
    });

  const [isMore, more] = useAct();
  const loadMore = () =>
    more(async () => {
      const after = loaded.data?.next;
      if (after === undefined) return;
      try {
        const page = await api.deadLetters(flow, { ...filter, after, limit: PAGE });
        loaded.setData((old) => (old ? { ...page, letters: [...old.letters, ...page.letters] } : old));
        n_shown.current += page.letters.length;
      } catch (cause) {
        toasts.bad(cause);
      }
    });

  const [asksAll, setAsksAll] = useState(false);
  const [arriving, setArriving] = useState<DeadLetter>();
  const total = loaded.data?.total;
  const isFiltered = text !== '' || stage !== undefined;
  const n_way = replaying.n_sent;

  return (
    <Page
      title={w.deadLetters}
      crumbs={[{ href: links.overview(), label: w.flows }, { href: links.flow(flow), label: flow }]}
      badge={total !== undefined && total > 0 ? <Badge tone="bad">{total}</Badge> : undefined}
      lead={t.lead}
      actions={
        isOperator && total !== undefined && total > 0 && (
          <Button icon="play" disabled={n_way > 0} onClick={() => setAsksAll(true)}>{t.replayAll(total)}</Button>
        )
      }
    >
      <Filter key={flow} flow={flow} text={text} stage={stage} stages={stages} />
      <div role="status" aria-live="polite">
        {n_way > 0 && <Notice title={t.replaying(n_way)} />}
        {outcome && <Notice tone={outcome.left + outcome.wait === 0 ? 'good' : 'warning'} title={t.done(outcome.gone, outcome.left, outcome.wait)} />}
      </div>
      <Show loaded={loaded}>
        {(page) =>
          page.letters.length === 0 ? (
            isFiltered ? (
              <Empty icon="search" title={t.noMatch}>
                <p>{t.noMatchHelp}</p>
                <p><LinkButton href={links.letters(flow)}>{t.clear}</LinkButton></p>
              </Empty>
            ) : (
              <Empty icon="check" title={t.none}>{t.noneHelp}</Empty>
            )
          ) : (
            <>
              <div className="letters-bar">
                {isOperator && (
                  <label className="check">
                    <input
                      type="checkbox"
                      checked={chosen.length === page.letters.length}
                      onChange={(event) =>
                        setSelected(new Set(event.target.checked ? page.letters.map((letter) => letter.id) : []))}
                    />
                    {t.selectAll}
                  </label>
                )}
                <span className="muted" id={`${id}-count`}>
                  {chosen.length > 0 ? t.nSelected(chosen.length) : t.count(page.letters.length, page.total)}
                </span>
                {isOperator && (
                  <span className="letters-acts">
                    {chosen.length > 0 && (
                      <LinkButton icon="edit" href={links.mapping(flow, { letters: chosen.slice(0, 50).join(',') })}>{t.mend}</LinkButton>
                    )}
                    <Button
                      look="primary"
                      icon="play"
                      disabled={chosen.length === 0 || n_way > 0}
                      busy={isSending}
                      onClick={() => void replay(chosen)}
                    >
                      {t.replay(chosen.length)}
                    </Button>
                  </span>
                )}
              </div>
              <div className="letters">
                {page.letters.map((letter) => (
                  <LetterCard
                    key={letter.id}
                    letter={letter}
                    heading="h2"
                    isOpen={page.letters.length === 1 || String(letter.id) === only}
                    isSending={replaying.letters.has(letter.id)}
                    onReplay={n_way > 0 ? undefined : () => void replay([letter.id])}
                    onArrived={() => setArriving(letter)}
                    select={
                      isOperator && (
                        <input
                          type="checkbox"
                          aria-label={t.select(nameOfLetter(letter))}
                          checked={selected.has(letter.id)}
                          onChange={() => toggle(letter.id)}
                        />
                      )
                    }
                  />
                ))}
              </div>
              {page.next !== undefined && (
                <p className="more"><Button busy={isMore} onClick={() => void loadMore()}>{w.loadMore}</Button></p>
              )}
            </>
          )}
      </Show>
      {asksAll && total !== undefined && (
        <AskDialog
          title={t.replayAllTitle}
          submit={t.replayAll(total)}
          onClose={() => setAsksAll(false)}
          onSubmit={() => {
            setAsksAll(false);
            void replay(undefined);
          }}
        >
          <p>{t.replayAllBody(total)}</p>
        </AskDialog>
      )}
      {arriving && (
        <Arrived
          letter={arriving}
          onClose={() => setArriving(undefined)}
          onDone={() => {
            setArriving(undefined);
            toasts.good(t.arrivedDone(nameOfLetter(arriving)));
            loaded.reload();
          }}
        />
      )}
    </Page>
  );
}

/** What is shown; it stands in the address, so that it can be sent to somebody. */
function Filter({ flow, text, stage, stages }: {
  flow: string; text: string; stage: Stage | undefined; stages: Record<Stage, string>;
}) {
  const t = useTexts(letterWords);
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    if (typed === text) return undefined;
    const timer = setTimeout(() => navigate(links.letters(flow, { text: typed, stage }), { replace: true }), 300);
    return () => clearTimeout(timer);
  }, [typed, text, flow, stage]);
  return (
    <form
      className="filter"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        navigate(links.letters(flow, { text: typed, stage }), { replace: true });
      }}
    >
      <Field label={t.search}>
        {(control) => (
          <input {...control} type="search" value={typed} placeholder={t.searchHint} onChange={(event) => setTyped(event.target.value)} />
        )}
      </Field>
      <Field label={t.stage}>
        {(control) => (
          <select
            {...control}
            value={stage ?? ''}
            onChange={(event) => navigate(links.letters(flow, { text: typed, stage: event.target.value }), { replace: true })}
          >
            <option value="">{t.anyStage}</option>
            {STAGES.map((one) => <option key={one} value={one}>{stages[one]}</option>)}
          </select>
        )}
      </Field>
    </form>
  );
}

/** Asks for the target's id of a record that has arrived after all. */
function Arrived({ letter, onClose, onDone }: { letter: DeadLetter; onClose: () => void; onDone: () => void }) {
  const t = useTexts(letterWords);
  const toasts = useToasts();
  const [remoteId, setRemoteId] = useState('');
  const [isBusy, act] = useAct();
  return (
    <AskDialog
      title={t.arrivedTitle}
      submit={t.arrived}
      isBusy={isBusy}
      onClose={onClose}
      onSubmit={() =>
        void act(async () => {
          try {
            await api.arrived(letter.flow, letter.id, remoteId.trim() === '' ? {} : { remote_id: remoteId.trim() });
            onDone();
          } catch (cause) {
            toasts.bad(cause);
          }
        })}
    >
      <p>{t.arrivedBody(nameOfLetter(letter))}</p>
      <Field label={t.remoteId} hint={t.remoteIdHint}>
        {(control) => <input {...control} value={remoteId} onChange={(event) => setRemoteId(event.target.value)} />}
      </Field>
    </AskDialog>
  );
}
