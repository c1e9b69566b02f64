// Incidents: what is or was wrong, since when, what to do.

import type { Incident } from '../api/types';
import { span } from '../format';
import { useLang, useTexts } from '../i18n';
import { links } from '../router';
import { Badge, Prose, Time } from '../ui';
import { partTexts } from './texts';

/** How long an incident lasted, in seconds; `undefined` while it is open. */
export function lasted(incident: Incident): number | undefined {
  if (incident.until === undefined) return undefined;
  return Math.max(0, (new Date(incident.until).getTime() - new Date(incident.since).getTime()) / 1000);
}

/** Incidents as a list. */
export function Incidents({ incidents }: { incidents: readonly Incident[] }) {
  const t = useTexts(partTexts);
  const lang = useLang();
  return (
    <ul className="incidents">
      {incidents.map((incident) => {
        const seconds = lasted(incident);
        const isOpen = seconds === undefined;
        return (
          <li key={`${incident.id} ${incident.since}`} className={isOpen ? 'incident incident-open' : 'incident'}>
            <Badge tone={isOpen ? 'bad' : 'quiet'} icon={isOpen ? 'warning' : 'check'}>{isOpen ? t.open : t.over}</Badge>
            <div className="incident-body">
              <p className="strong"><Prose text={incident.title} /></p>
              <p><Prose text={incident.advice} /></p>
              <p className="small muted">
                {t.since} <Time at={incident.since} />
                {seconds !== undefined && <> · {t.lasted(span(seconds, lang))}</>}
                {incident.documents !== undefined && <> · {t.about(incident.documents)}</>}
                {' · '}{incident.told.length > 0 ? t.told(incident.told.join(', ')) : t.toldNobody}
              </p>
            </div>
            <div className="incident-links">
              {incident.flow !== undefined && incident.rule === 'dead-letters' && (
                <a href={links.letters(incident.flow)}>{t.readLetters}</a>
              )}
              {incident.flow !== undefined && incident.rule !== 'dead-letters' && (
                <a href={links.flow(incident.flow)}>{t.lookAtFlow}</a>
              )}
              {incident.flow === undefined && incident.account !== undefined && (
                <a href={links.account(incident.account)}>{t.lookAtAccount}</a>
              )}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
