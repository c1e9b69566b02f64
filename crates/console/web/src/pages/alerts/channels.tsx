// The channels, each with a button that sends a test message.

import { useState } from 'react';
import { api, type ApiError } from '../../api/client';
import type { Channel } from '../../api/types';
import { useTexts } from '../../i18n';
import { asApiError, useAct } from '../../load';
import { useIsOperator } from '../../session';
import { Badge, Button, Empty, ErrorView, Table, useToasts } from '../../ui';
import { alertTexts } from './texts';

function TestButton({ channel }: { channel: Channel }) {
  const t = useTexts(alertTexts);
  const toasts = useToasts();
  const [isBusy, act] = useAct();
  const [result, setResult] = useState<'sent' | ApiError>();
  const send = () => act(async () => {
    setResult(undefined);
    try {
      await api.testChannel(channel.name);
      setResult('sent');
      toasts.good(t.sentOf(channel.name));
    } catch (cause) {
      setResult(asApiError(cause));
    }
  });
  return (
    <div className="test">
      <div className="row">
        <Button small icon="bell" busy={isBusy} onClick={send} aria-label={t.testOf(channel.name)}>{t.test}</Button>
        {result === 'sent' && <Badge tone="good" icon="check">{t.sent}</Badge>}
      </div>
      {result !== undefined && result !== 'sent' && <ErrorView error={result} />}
    </div>
  );
}

/** All channels. */
export function Channels({ channels }: { channels: readonly Channel[] }) {
  const t = useTexts(alertTexts);
  const isOperator = useIsOperator();
  const kinds: Record<string, string> = t.kinds;
  return (
    <Table
      caption={t.channels}
      rows={channels}
      rowKey={(channel) => channel.name}
      empty={<Empty icon="bell" title={t.noChannels}>{t.noChannelsHelp}</Empty>}
      columns={[
        { id: 'name', title: t.channel, header: true, label: '', cell: (channel) => channel.name },
        { id: 'kind', title: t.kind, cell: (channel) => kinds[channel.kind] ?? channel.kind },
        { id: 'reaches', title: t.reaches, cell: (channel) => <span className="break">{channel.reaches}</span> },
        ...(isOperator ? [{ id: 'test', title: <span className="sr-only">{t.test}</span>, label: '', cell: (channel: Channel) => <TestButton channel={channel} /> }] : []),
      ]}
    />
  );
}
