// Finding a record by its number or key: why is order X not in the target?

import { useEffect, useState } from 'react';
import { api } from '../api/client';
import type { Flow } from '../api/types';
import { useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { useLoad } from '../load';
import { LetterCard } from '../letters/letter';
import { isRunning } from '../parts/flow-state';
import { links, navigate, useLocation } from '../router';
import { Badge, Button, Empty, Field, LinkButton, Page, RunBadge, Show, stateOf, Table, Time } from '../ui';
import { TracedWay } from './traced';
import { traceWords } from './words';

/** The search and what it found. */
export default function TracePage() {
  const t = useTexts(traceWords);
  const { query } = useLocation();
  const id = query.get('id') ?? '';
  const flow = query.get('flow') ?? '';
  const flows = useLoad('trace/flows', async (signal) => (await api.overview(signal)).flows);
  return (
    <Page title={t.title} lead={t.lead}>
      <SearchForm id={id} flow={flow} flows={flows.data ?? []} />
      {id === '' ? (
        <Empty icon="search" title={t.start}>{t.startHelp}</Empty>
      ) : (
        <Found key={`${flow}/${id}`} id={id} flow={flow} flows={flows.data} />
      )}
    </Page>
  );
}

function SearchForm({ id, flow, flows }: { id: string; flow: string; flows: readonly Flow[] }) {
  const t = useTexts(traceWords);
  const [typed, setTyped] = useState(id);
  const [chosen, setChosen] = useState(flow);
  useEffect(() => setTyped(id), [id]);
  useEffect(() => setChosen(flow), [flow]);
  return (
    <form
      className="filter"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = typed.trim();
        if (wanted !== '') navigate(links.trace(wanted, chosen));
      }}
    >
      <Field label={t.id}>
        {(control) => (
          <input
            {...control}
            type="search"
            className="num"
            autoComplete="off"
            spellCheck={false}
            value={typed}
            placeholder={t.idHint}
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
      </Field>
      <Field label={t.flow}>
        {(control) => (
          <select {...control} value={chosen} onChange={(event) => setChosen(event.target.value)}>
            <option value="">{t.allFlows}</option>
            {[...new Set([...flows.map((one) => one.name), ...(chosen === '' ? [] : [chosen])])].map((name) => (
              <option key={name} value={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <Button type="submit" look="primary" icon="search">{t.find}</Button>
    </form>
  );
}

function Found({ id, flow, flows }: { id: string; flow: string; flows: readonly Flow[] | undefined }) {
  const t = useTexts(traceWords);
  const loaded = useLoad(`trace/${flow}/${id}`, (signal) => api.trace(id, flow === '' ? undefined : flow, signal));
  return (
    <Show loaded={loaded}>
      {(trace) => {
        const n_found = trace.found.length + trace.dead_letters.length + trace.pending.length;
        if (n_found === 0) return <NothingFound id={id} flows={(flows ?? []).filter((one) => flow === '' || one.name === flow)} />;
        return (
          <div className="ways" aria-live="polite">
            {trace.dead_letters.map((letter) => (
              <section key={`${letter.flow}/${letter.id}`} className="way" aria-label={t.refused(letter.flow)} data-flow={letter.flow}>
                <header className="letter-head">
                  <h2>{t.refused(letter.flow)}</h2>
                  <LinkButton small look="quiet" icon="letter" href={links.letters(letter.flow, { letter: letter.id })}>{t.toLetters}</LinkButton>
                </header>
                <LetterCard letter={letter} isOpen hasTrace={false} />
              </section>
            ))}
            {trace.pending.map((traced) => <TracedWay key={`${traced.flow}/${traced.key}`} traced={traced} waits />)}
            {trace.found.map((traced) => <TracedWay key={`${traced.flow}/${traced.key}`} traced={traced} waits={false} />)}
          </div>
        );
      }}
    </Show>
  );
}

/** What to look at when nothing was found. */
function NothingFound({ id, flows }: { id: string; flows: readonly Flow[] }) {
  const t = useTexts(traceWords);
  const w = useTexts(words);
  return (
    <section className="nothing-found" aria-live="polite">
      <h2>{t.nothing(id)}</h2>
      <p>{t.nothingLead}</p>
      <ol>
        <li>{t.tryNumber}</li>
        <li>{t.tryFlows}</li>
        <li>{t.tryFilter}</li>
        <li>{t.tryVendor}</li>
      </ol>
      <Table
        caption={w.flows}
        rows={flows}
        rowKey={(flow) => flow.name}
        columns={[
          { id: 'flow', title: w.flow, header: true, cell: (flow) => <a href={links.flow(flow.name)}>{flow.name}</a> },
          { id: 'read', title: t.read, cell: (flow) => `${flow.stream} → ${flow.target}` },
          {
            id: 'proved',
            title: t.provedUntil,
            cell: (flow) => (flow.proved_until === undefined ? <span className="muted">{t.never}</span> : <Time at={flow.proved_until} />),
          },
          {
            id: 'run',
            title: t.stands,
            cell: (flow) => (
              <>
                <RunBadge state={isRunning(flow) ? 'running' : stateOf(flow.last_run)} />
                {flow.pending > 0 && <> <Badge tone="busy">{w.pending}: {flow.pending}</Badge></>}
              </>
            ),
          },
          { id: 'mapping', title: t.filterOf, cell: (flow) => <a href={links.mapping(flow.name)}>{t.editMapping}</a> },
        ]}
      />
    </section>
  );
}
