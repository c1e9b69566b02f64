// Instants on the page: Beijing time, with how far they are from now.

import { createContext, useContext, useEffect, useState } from 'react';
import { between, fullTime, relative, shortTime } from '../format';
import { useLang } from '../i18n';

const NowContext = createContext(0);

/** The clock of the page; the server's if its answers have said how far that is from the browser's. */
let serverAhead = 0;

/** Takes over the server's clock, which is the one that instants in its answers are by. */
export function setServerNow(now: string): void {
  serverAhead = new Date(now).getTime() - Date.now();
}

/** The instant it is now at the server, in milliseconds. */
export function serverNow(): number {
  return Date.now() + serverAhead;
}

/** Lets all instants below it move with the clock. */
export function NowProvider({ children }: { children: React.ReactNode }) {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(serverNow());
    }, 5_000);
    return () => clearInterval(timer);
  }, []);
  return <NowContext.Provider value={now}>{children}</NowContext.Provider>;
}

/** The instant it is now, moving. */
export function useNow(): number {
  const now = useContext(NowContext);
  // Something may have happened since the last tick; then that counts.
  return Math.max(now, 0) || serverNow();
}

/** An instant: Beijing time, and the distance from now beside it. */
export function Time({ at, only }: { at: string; only?: 'short' | 'relative' | 'full' }) {
  const lang = useLang();
  const now = useNow();
  const full = fullTime(at);
  if (only === 'full') return <time dateTime={at} className="num">{full}</time>;
  if (only === 'relative') return <time dateTime={at} title={full}>{relative(at, now, lang)}</time>;
  if (only === 'short') return <time dateTime={at} title={full} className="num">{shortTime(at, now)}</time>;
  return (
    <time dateTime={at} title={full} className="time">
      <span className="num">{shortTime(at, now)}</span>{lang === 'zh' ? '' : ' '}
      <span className="muted">{lang === 'zh' ? `（${relative(at, now, lang)}）` : `(${relative(at, now, lang)})`}</span>
    </time>
  );
}

/** How long it took, or has taken so far. */
export function Took({ from, until }: { from: string; until?: string | undefined }) {
  const lang = useLang();
  const now = useNow();
  return <span className="num">{between(from, until ?? new Date(Math.max(now, new Date(from).getTime())), lang)}</span>;
}
