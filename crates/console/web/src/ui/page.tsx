// The frame of a page: its heading, where it belongs, what can be done on it.

import { type ReactNode, useEffect } from 'react';
import { Icon } from './icons';

/** A page. `crumbs` lead back; `actions` stand beside the heading. */
export function Page({ title, crumbs, badge, actions, lead, children, wide = false }: {
  title: string;
  crumbs?: readonly { href: string; label: string }[];
  badge?: ReactNode;
  actions?: ReactNode;
  lead?: ReactNode;
  children: ReactNode;
  wide?: boolean;
}) {
  useEffect(() => {
    document.title = `${title} · Milkrun`;
  }, [title]);
  return (
    <div className={wide ? 'page page-wide' : 'page'}>
      <header className="page-head">
        <div className="page-title">
          {crumbs && crumbs.length > 0 && (
            <nav className="crumbs" aria-label="breadcrumb">
              <ol>
                {crumbs.map((crumb) => (
                  <li key={crumb.href}><a href={crumb.href}>{crumb.label}</a><Icon name="forward" /></li>
                ))}
              </ol>
            </nav>
          )}
          <h1 tabIndex={-1} id="page-title">{title} {badge}</h1>
          {lead && <div className="page-lead">{lead}</div>}
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A part of a page with a heading. */
export function Section({ title, actions, children, id }: {
  title: string; actions?: ReactNode; children: ReactNode; id?: string;
}) {
  return (
    <section className="section" aria-label={title} id={id}>
      <div className="section-head">
        <h2>{title}</h2>
        {actions && <div className="section-actions">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

/** Facts: names and values; `wide` ones are sentences. */
export function Facts({ facts, wide = false }: { facts: readonly { name: string; value: ReactNode }[]; wide?: boolean }) {
  return (
    <dl className={wide ? 'facts facts-wide' : 'facts'}>
      {facts.map(({ name, value }) => (
        <div key={name}><dt>{name}</dt><dd>{value}</dd></div>
      ))}
    </dl>
  );
}
