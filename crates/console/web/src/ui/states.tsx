// What a page shows while it has nothing to show: loading, empty, or what went wrong.

import type { ReactNode } from 'react';
import type { ApiError } from '../api/client';
import type { Mistake, Problem } from '../api/types';
import { useTexts } from '../i18n';
import { words } from '../i18n/shared';
import type { Loaded } from '../load';
import { Button } from './button';
import { Icon, type IconName } from './icons';
import { Prose } from './prose';

/** Data is on its way. */
export function Loading({ label }: { label?: string }) {
  const t = useTexts(words);
  return (
    <div className="state" role="status">
      <span className="spinner" aria-hidden="true" />
      <span>{label ?? t.loading}</span>
    </div>
  );
}

/** There is nothing, and that is no mistake. */
export function Empty({ icon = 'info', title, children }: { icon?: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="state state-empty">
      <Icon name={icon} className="icon-large" />
      <p className="state-title">{title}</p>
      {children && <div className="muted">{children}</div>}
    </div>
  );
}

/** Mistakes in files, each with its place. */
export function Mistakes({ mistakes }: { mistakes: readonly Mistake[] }) {
  const t = useTexts(words);
  return (
    <ul className="mistakes">
      {mistakes.map((mistake, index) => (
        <li key={index} className={mistake.is_warning ? 'mistake-warning' : 'mistake-error'}>
          <Icon name={mistake.is_warning ? 'warning' : 'cross'} />
          <div>
            <p><Prose text={mistake.message} /></p>
            {mistake.help && <p className="muted"><Prose text={mistake.help} /></p>}
            <p className="mono small muted">{t.place(mistake.file, mistake.line, mistake.column)}</p>
          </div>
        </li>
      ))}
    </ul>
  );
}

/** What to say of an error, in the reader's language. */
export function useProblem(error: ApiError): Problem {
  const t = useTexts(words);
  const { problem, status } = error;
  if (problem.kind === 'offline') return { kind: 'offline', message: t.offline, help: t.offlineHelp };
  if (problem.kind === 'http') return { kind: 'http', message: t.httpProblem(status) };
  return problem;
}

/** What went wrong, and what to do. */
export function ErrorView({ error, retry }: { error: ApiError; retry?: () => void }) {
  const t = useTexts(words);
  const problem = useProblem(error);
  const facts = Object.entries(problem.facts ?? {});
  return (
    <div className="notice notice-bad" role="alert">
      <Icon name="warning" />
      <div className="notice-body">
        <p className="notice-title"><Prose text={problem.message} /></p>
        {problem.help && <p><Prose text={problem.help} /></p>}
        {facts.length > 0 && (
          <dl className="facts-inline">
            {facts.map(([name, value]) => (
              <div key={name}><dt>{name}</dt><dd className="mono">{value}</dd></div>
            ))}
          </dl>
        )}
        {problem.mistakes && problem.mistakes.length > 0 && <Mistakes mistakes={problem.mistakes} />}
        {retry && <p><Button small onClick={retry}>{t.retry}</Button></p>}
      </div>
    </div>
  );
}

/** Something worth saying that is no error. */
export function Notice({ tone = 'info', title, children }: {
  tone?: 'info' | 'warning' | 'bad' | 'good'; title?: string; children?: ReactNode;
}) {
  const icon: IconName = tone === 'good' ? 'check' : tone === 'info' ? 'info' : 'warning';
  return (
    <div className={`notice notice-${tone}`}>
      <Icon name={icon} />
      <div className="notice-body">
        {title && <p className="notice-title">{title}</p>}
        {children}
      </div>
    </div>
  );
}

/** Loading, then the data; an error above whatever there is already. */
export function Show<T>({ loaded, children }: { loaded: Loaded<T>; children: (data: T) => ReactNode }) {
  return (
    <>
      {loaded.error && <ErrorView error={loaded.error} retry={loaded.reload} />}
      {loaded.data !== undefined ? children(loaded.data) : loaded.error ? null : <Loading />}
    </>
  );
}
