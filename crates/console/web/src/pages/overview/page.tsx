// The overview: whether everything arrived, what is wrong, each flow and each account.

import { api } from '../../api/client';
import type { Overview } from '../../api/types';
import { bytes } from '../../format';
import { useTexts } from '../../i18n';
import { words } from '../../i18n/shared';
import { useLoad } from '../../load';
import { AccountCard } from '../../parts/account';
import { glance, shownRun } from '../../parts/flow-state';
import { useFresh, useProgress } from '../../parts/fresh';
import { Incidents } from '../../parts/incidents';
import { Gauge } from '../../parts/progress';
import { Empty, Icon, Mistakes, Page, Section, setServerNow, Show } from '../../ui';
import { Flows } from './flows';
import { overviewTexts } from './texts';

/** In one sentence: whether everything arrived. */
function Glance({ overview }: { overview: Overview }) {
  const t = useTexts(overviewTexts);
  const { needy, well, idle } = glance(overview.flows);
  const state = needy > 0 ? 'warning' : well > 0 ? 'good' : 'quiet';
  return (
    <div className={`glance glance-${state}`}>
      <Icon name={state === 'good' ? 'check' : state === 'quiet' ? 'clock' : 'warning'} className="icon-large" />
      <div>
        <p className="glance-title">{state === 'warning' ? t.needy(needy) : state === 'good' ? t.allWell : t.noneRan}</p>
        <p>
          {state === 'warning' ? t.needyHelp(well) : state === 'good' && t.allWellHelp(well)}
          {idle > 0 && <> {t.idleHelp(idle)}</>}
        </p>
      </div>
    </div>
  );
}

function DiskCard({ disk }: { disk: NonNullable<Overview['disk']> }) {
  const t = useTexts(overviewTexts);
  const part = disk.total === 0 ? 0 : disk.free / disk.total;
  const text = t.diskLeft(bytes(disk.free), bytes(disk.total));
  return (
    <article className="card account" aria-label={t.disk}>
      <header className="account-head"><h3>{t.disk}</h3></header>
      <div className="gauge">
        <p className="small num">{text}</p>
        <Gauge value={part} label={text} tone={part < 0.05 ? 'bad' : part < 0.1 ? 'warning' : 'busy'} />
        <p className="small muted num">{t.stateTakes(bytes(disk.state))}</p>
      </div>
    </article>
  );
}

/** The page. */
export function OverviewPage() {
  const t = useTexts(overviewTexts);
  const w = useTexts(words);
  const loaded = useLoad('overview', async (signal) => {
    const overview = await api.overview(signal);
    setServerNow(overview.now);
    return overview;
  });
  useProgress((runs) => loaded.setData((old) => old && {
    ...old,
    flows: old.flows.map((flow) => {
      const running = shownRun(flow.running, runs.get(flow.name));
      return running && running !== flow.running ? { ...flow, running } : flow;
    }),
  }));
  useFresh(loaded.reload, (event) => event.type !== 'progress');

  return (
    <Page title={t.title}>
      <Show loaded={loaded}>
        {(overview) => overview.flows.length === 0 && overview.mistakes.length === 0 ? (
          <Empty icon="route" title={t.nothing}>{t.nothingHelp}</Empty>
        ) : (
          <>
            {overview.flows.length > 0 && <Glance overview={overview} />}
            {overview.incidents.length > 0 && (
              <Section title={t.incidents}><Incidents incidents={overview.incidents} /></Section>
            )}
            {overview.mistakes.length > 0 && (
              <Section title={t.mistakes}>
                <div className="card">
                  <p className="muted small">{t.mistakesHelp}</p>
                  <Mistakes mistakes={overview.mistakes} />
                </div>
              </Section>
            )}
            <Section title={w.flows}><Flows flows={overview.flows} /></Section>
            <Section title={w.accounts}>
              <div className="cards">
                {overview.accounts.map((account) => <AccountCard key={account.name} account={account} />)}
                {overview.disk && <DiskCard disk={overview.disk} />}
              </div>
            </Section>
            <p className="page-foot muted small">{t.version(overview.version)}</p>
          </>
        )}
      </Show>
    </Page>
  );
}
