// The accounts: how long their tokens live, what is left of their limits, and which flows use them.

import { api } from '../api/client';
import type { Account } from '../api/types';
import { count } from '../format';
import { texts, useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { shell } from '../layout/texts';
import { useLoad } from '../load';
import { AccountCard, Quotas, TokenView } from '../parts/account';
import { useFresh } from '../parts/fresh';
import { partTexts } from '../parts/texts';
import { links } from '../router';
import { Badge, Empty, Facts, Icon, Page, Section, Show } from '../ui';

const dictionary = texts(
  {
    lead: 'One set of credentials at one vendor; it owns its token and its limits.',
    nothing: 'No account is declared',
    nothingHelp: 'Add [accounts.NAME] to milkrun.toml; `milkrun init` writes an example.',
    connector: 'Connector',
    callsMade: 'Calls',
    facts: 'Facts',
    figures: (calls: number, flows: number) => `${count(calls)} calls · used by ${count(flows)} flow${flows === 1 ? '' : 's'}`,
    tokenAndLimits: 'Token and limits',
  },
  {
    lead: '一个账户是某个厂商的一组凭据，拥有自己的令牌和限额。',
    nothing: '没有声明任何账户',
    nothingHelp: '请在 milkrun.toml 中添加 [accounts.名称]；`milkrun init` 会写出示例。',
    connector: '连接器',
    callsMade: '调用',
    facts: '信息',
    figures: (calls, flows) => `调用 ${count(calls)} 次 · ${count(flows)} 个流程使用`,
    tokenAndLimits: '令牌与限额',
  },
);

/** Limits move with every call, so they are asked for often while somebody looks. */
const EVERY_SECS = 10;

function FlowsOf({ account }: { account: Account }) {
  const p = useTexts(partTexts);
  if (account.flows.length === 0) return <p className="muted">{p.unused}</p>;
  return (
    <ul className="chips">
      {account.flows.map((flow) => <li key={flow}><a href={links.flow(flow)}><Icon name="route" />{flow}</a></li>)}
    </ul>
  );
}

function OneAccount({ name }: { name: string }) {
  const t = useTexts(dictionary);
  const s = useTexts(shell);
  const p = useTexts(partTexts);
  const loaded = useLoad(`account ${name}`, (signal) => api.account(name, signal));
  useFresh(loaded.reload, (event) => event.type === 'reloaded' || event.type === 'incident', EVERY_SECS);
  return (
    <Page
      title={name}
      crumbs={[{ href: links.accounts(), label: s.accounts }]}
      badge={loaded.data && !loaded.data.is_usable && <Badge tone="bad" icon="cross">{p.unusable}</Badge>}
      lead={loaded.data?.title}
    >
      <Show loaded={loaded}>
        {(account) => (
          <>
            <Section title={t.tokenAndLimits}>
              <div className="card account narrow">
                {account.token && <TokenView token={account.token} />}
                <Quotas account={account} />
              </div>
            </Section>
            <Section title={t.facts}>
              <div className="card">
                <Facts
                  facts={[
                    { name: t.connector, value: <code>{account.connector}</code> },
                    { name: t.callsMade, value: <span className="num">{p.callsSince(account.calls)}</span> },
                  ]}
                />
              </div>
            </Section>
            <Section title={p.usedBy}><FlowsOf account={account} /></Section>
          </>
        )}
      </Show>
    </Page>
  );
}

function AllAccounts() {
  const t = useTexts(dictionary);
  const w = useTexts(words);
  const loaded = useLoad('accounts', (signal) => api.overview(signal).then((overview) => overview.accounts));
  useFresh(loaded.reload, (event) => event.type === 'reloaded' || event.type === 'incident', EVERY_SECS);
  return (
    <Page title={w.accounts} lead={t.lead}>
      <Show loaded={loaded}>
        {(accounts) => accounts.length === 0 ? <Empty icon="key" title={t.nothing}>{t.nothingHelp}</Empty> : (
          <div className="cards">
            {accounts.map((account) => (
              <AccountCard key={account.name} account={account} level="h2">
                <p className="small muted num">{t.figures(account.calls, account.flows.length)}</p>
              </AccountCard>
            ))}
          </div>
        )}
      </Show>
    </Page>
  );
}

/** All accounts, or one. */
export default function AccountsPage({ account }: { account?: string }) {
  return account === undefined ? <AllAccounts /> : <OneAccount name={account} />;
}
