// A run: what it does now, what became of every record, how it was proved, and what the proof rests on.

import { api } from '../../api/client';
import type { Run } from '../../api/types';
import { useEvents } from '../../events';
import { useTexts } from '../../i18n';
import { shell } from '../../layout/texts';
import { useLoad } from '../../load';
import { useFresh } from '../../parts/fresh';
import { RunProgress } from '../../parts/progress';
import { links } from '../../router';
import { Facts, LinkButton, Notice, Page, Prose, RunBadge, Section, Show, stateOf, Time, Took } from '../../ui';
import { Fates, Numbers, Proofs, Slices } from './figures';
import { runTexts } from './texts';

/** A run with what an event says of it. */
function advanced(run: Run, live: NonNullable<Run['live']>): Run {
  return {
    ...run,
    counts: live.counts,
    live,
    summary: { ...run.summary, records: live.counts.records, documents: live.counts.documents, calls: live.calls },
  };
}

/** The page. */
export default function RunPage({ flow, run: id }: { flow: string; run: number }) {
  const t = useTexts(runTexts);
  const s = useTexts(shell);
  const loaded = useLoad(`run ${flow}/${id}`, (signal) => api.run(flow, id, signal));
  const newest = useLoad(`newest run ${flow}`, (signal) => api.runs(flow, { limit: 1 }, signal)).data?.runs[0]?.id;
  useEvents((event) => {
    if (event.type !== 'progress' || event.run.flow !== flow || event.run.id !== id) return;
    loaded.setData((old) => old && advanced(old, event.run));
  });
  const run = loaded.data;
  // Nobody tells of what another process does.
  const everySecs = run?.summary.run_by === undefined ? 600 : 5;
  useFresh(loaded.reload, (event) => event.type === 'ended' && event.run.flow === flow && event.run.id === id, everySecs);
  const state = run && (run.live ? 'running' : stateOf(run.summary));

  return (
    <Page
      title={t.title(id)}
      crumbs={[{ href: links.overview(), label: s.overview }, { href: links.flow(flow), label: flow }]}
      badge={state && <RunBadge state={state} />}
      lead={run && (
        <>
          {run.live && run.live.work !== 'run' && <>{t.work[run.live.work]} · </>}
          <Time at={run.summary.started} /> · <Took from={run.summary.started} until={state === 'running' ? undefined : (run.summary.ended ?? run.summary.started)} />
        </>
      )}
      actions={
        <>
          {id > 1 && <LinkButton small icon="back" href={links.run(flow, id - 1)}>{t.before}</LinkButton>}
          {newest !== undefined && newest > id && <LinkButton small icon="forward" href={links.run(flow, id + 1)}>{t.after}</LinkButton>}
        </>
      }
    >
      <Show loaded={loaded}>
        {(shown) => {
          const { summary, counts, live } = shown;
          return (
            <>
              {state === 'cut-off' && <Notice>{t.cutOff}</Notice>}
              {summary.run_by !== undefined && <Notice>{t.elsewhere(summary.run_by)}</Notice>}
              {!live && summary.reason !== undefined && (
                <Notice tone={summary.verdict === 'failed' ? 'bad' : 'warning'}><Prose text={summary.reason} /></Notice>
              )}
              {live && (
                <section className="card under-way" aria-label={t.underWay}>
                  <h2>{t.underWay}</h2>
                  <RunProgress run={live} />
                </section>
              )}
              <Section title={t.figures}>
                <Fates counts={counts} isLive={state === 'running'} lettersHref={links.letters(flow)} />
              </Section>
              <Section title={t.numbers}><Numbers counts={counts} calls={live?.calls ?? summary.calls} /></Section>
              {live?.slices && live.slices.length > 0 && (
                <Section title={t.slicesNow}>
                  <Slices slices={live.slices} caption={t.slicesNow} />
                  <p className="small muted">{t.slicesHint}</p>
                </Section>
              )}
              {(state !== 'running' || shown.proved.length > 0) && <Section title={t.how}><Proofs proved={shown.proved} /></Section>}
              {shown.open.length > 0 && <Section title={t.open}><Slices slices={shown.open} caption={t.open} /></Section>}
              <Section title={t.rests}>
                <div className="card">
                  <Facts
                    wide
                    facts={[
                      ...(shown.assumes !== '' ? [{ name: t.assumes, value: <Prose text={shown.assumes} /> }] : []),
                      ...(shown.promise !== '' ? [{ name: t.promise, value: <Prose text={shown.promise} /> }] : []),
                      ...(shown.place !== undefined ? [{ name: t.place, value: <code>{shown.place}</code> }] : []),
                    ]}
                  />
                </div>
              </Section>
            </>
          );
        }}
      </Show>
    </Page>
  );
}
