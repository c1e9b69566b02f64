// Alerts: the channels, the rules, and what has been wrong.

import { useState } from 'react';
import { api } from '../../api/client';
import { useTexts } from '../../i18n';
import { useLoad } from '../../load';
import { useFresh } from '../../parts/fresh';
import { Incidents } from '../../parts/incidents';
import { Button, Empty, Page, Section, Show } from '../../ui';
import { Channels } from './channels';
import { Rules } from './rules';
import { alertTexts } from './texts';

const FIRST = 20;

function IncidentList() {
  const t = useTexts(alertTexts);
  const [limit, setLimit] = useState(FIRST);
  const loaded = useLoad('incidents', (signal) => api.incidents(limit, signal));
  useFresh(loaded.reload, (event) => event.type === 'incident', 60);
  return (
    <Show loaded={loaded}>
      {(incidents) => incidents.length === 0 ? <Empty icon="check" title={t.noIncidents} /> : (
        <>
          <Incidents incidents={incidents} />
          {incidents.length >= limit && (
            <p className="more">
              <Button
                busy={loaded.isLoading}
                onClick={() => {
                  setLimit(limit + 100);
                  loaded.reload();
                }}
              >
                {t.moreIncidents}
              </Button>
            </p>
          )}
        </>
      )}
    </Show>
  );
}

/** The page. An installation without alerts has none of their settings; its incidents it may have all the same. */
export default function AlertsPage() {
  const t = useTexts(alertTexts);
  const loaded = useLoad('alerts', (signal) => api.alerts(signal));
  const isUnset = loaded.error?.status === 404;
  return (
    <Page title={t.title} lead={t.lead}>
      {isUnset ? <Empty icon="bell" title={t.noChannels}>{t.noChannelsHelp}</Empty> : (
        <Show loaded={loaded}>
          {(settings) => (
            <>
              <Section title={t.channels}><Channels channels={settings.channels} /></Section>
              <Section title={t.rules}><Rules settings={settings} onSaved={loaded.reload} /></Section>
            </>
          )}
        </Show>
      )}
      <Section title={t.incidents}><IncidentList /></Section>
    </Page>
  );
}
