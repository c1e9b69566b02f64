// An account: how long its token lives, how much of its limits is left, who uses it.

import type { ReactNode } from 'react';
import type { Account, TokenState } from '../api/types';
import { dateTime, period, span } from '../format';
import { useLang, useTexts } from '../i18n';
import { links } from '../router';
import { Badge, Prose, useNow } from '../ui';
import { quotaTone, tokenLeft } from './account-facts';
import { Gauge } from './progress';
import { partTexts } from './texts';

/** How long a token lives. */
export function TokenView({ token }: { token: TokenState }) {
  const t = useTexts(partTexts);
  const lang = useLang();
  const now = useNow();
  const left = tokenLeft(token, now);
  const ended = token.expires === undefined ? 0 : (now - new Date(token.expires).getTime()) / 1000;
  return (
    <div className="gauge">
      <div className="gauge-head">
        <span>{t.token}</span>
        {token.dead !== undefined ? (
          <Badge tone="bad" icon="cross">{t.tokenDead}</Badge>
        ) : left.seconds === undefined ? (
          <span className="muted">{t.tokenNoEnd}</span>
        ) : ended > 0 ? (
          <Badge tone="bad" icon="warning">{t.tokenEnded(span(ended, lang))}</Badge>
        ) : (
          <span className={left.tone === 'warning' ? 'text-warning strong num' : 'num'}>
            {t.tokenLeft(span(left.seconds, lang))}
          </span>
        )}
      </div>
      {left.part !== undefined && <Gauge value={left.part} label={t.tokenLabel} tone={left.tone} />}
      {token.dead !== undefined ? <p className="small break"><Prose text={token.dead} /></p> : (
        <p className="small muted num">
          {token.expires !== undefined
            ? `${t.tokenUntil} ${dateTime(token.expires)}`
            : token.since !== undefined && `${t.tokenSince} ${dateTime(token.since)}`}
        </p>
      )}
    </div>
  );
}

/** How much of each limit is left. */
export function Quotas({ account }: { account: Account }) {
  const t = useTexts(partTexts);
  const lang = useLang();
  if (account.quotas.length === 0) {
    return <div className="gauge"><div className="gauge-head"><span>{t.quota}</span><span className="muted">{t.noLimit}</span></div></div>;
  }
  return (
    <>
      {account.quotas.map((quota) => {
        const text = t.quotaLeft(quota.left, quota.calls, period(quota.per_secs, lang));
        return (
          <div className="gauge" key={`${quota.calls}/${quota.per_secs}`}>
            <p className="small num">{text}</p>
            <Gauge value={quota.calls === 0 ? 0 : quota.left / quota.calls} label={text} tone={quotaTone(quota)} />
          </div>
        );
      })}
    </>
  );
}

/** An account as a card. */
export function AccountCard({ account, level = 'h3', children }: {
  account: Account; level?: 'h2' | 'h3'; children?: ReactNode;
}) {
  const t = useTexts(partTexts);
  const Heading = level;
  return (
    <article className="card account" aria-label={account.name}>
      <header className="account-head">
        <Heading><a href={links.account(account.name)}>{account.name}</a></Heading>
        <span className="muted small">{account.title}</span>
        {!account.is_usable && <Badge tone="bad" icon="cross">{t.unusable}</Badge>}
      </header>
      {account.token ? <TokenView token={account.token} /> : (
        <div className="gauge"><div className="gauge-head"><span>{t.token}</span><span className="muted">{t.noToken}</span></div></div>
      )}
      <Quotas account={account} />
      {children}
    </article>
  );
}
