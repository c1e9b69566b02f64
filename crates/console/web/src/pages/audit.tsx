// Who did what, and whether it was done.

import { useState } from 'react';
import { api } from '../api/client';
import type { Audit } from '../api/types';
import { texts, useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { shell } from '../layout/texts';
import { useAct, useLoad } from '../load';
import { Badge, Button, Empty, Page, Show, Table, Time, useToasts } from '../ui';

const dictionary = texts(
  {
    lead: 'Every sign-in and every change: who, from where, and whether it was done.',
    at: 'When',
    who: 'Who',
    address: 'From',
    what: 'What',
    subject: 'To what',
    outcome: 'Outcome',
    done: 'done',
    actions: {
      'session.sign-in': 'signed in',
      'session.sign-out': 'signed out',
      'flow.run': 'started a run',
      'flow.cancel': 'cancelled a run',
      'flow.backfill': 'began a backfill',
      'dead-letters.replay': 'sent dead letters again',
      'dead-letters.arrived': 'marked a record as arrived',
      'mapping.save': 'saved a mapping',
      'alerts.change': 'changed alerts',
      'alerts.test': 'tested a channel',
    },
    outcomes: {
      'wrong-credentials': 'wrong name or password',
      'too-many-attempts': 'too many attempts',
      forbidden: 'not allowed',
      csrf: 'not from this page',
      busy: 'busy',
      'not-found': 'not found',
      'config-invalid': 'mistakes in the text',
      malformed: 'malformed',
    },
    nothing: 'Nobody has done anything yet',
  },
  {
    lead: '每次登录和每项更改：谁、来自何处、是否完成。',
    at: '时间',
    who: '用户',
    address: '来源地址',
    what: '操作',
    subject: '对象',
    outcome: '结果',
    done: '完成',
    actions: {
      'session.sign-in': '登录',
      'session.sign-out': '退出登录',
      'flow.run': '开始运行',
      'flow.cancel': '取消运行',
      'flow.backfill': '开始补读',
      'dead-letters.replay': '重放死信',
      'dead-letters.arrived': '标记为已送达',
      'mapping.save': '保存映射',
      'alerts.change': '更改告警设置',
      'alerts.test': '测试通道',
    },
    outcomes: {
      'wrong-credentials': '用户名或密码错误',
      'too-many-attempts': '尝试次数过多',
      forbidden: '无权限',
      csrf: '并非来自本页面',
      busy: '被占用',
      'not-found': '未找到',
      'config-invalid': '内容有误',
      malformed: '格式错误',
    },
    nothing: '还没有任何操作',
  },
);

const LIMIT = 100;

/** The page. */
export default function AuditPage() {
  const t = useTexts(dictionary);
  const s = useTexts(shell);
  const w = useTexts(words);
  const toasts = useToasts();
  // The server may know others, which are shown by their names.
  const actions: Record<string, string> = t.actions;
  const outcomes: Record<string, string> = t.outcomes;
  const [isBusy, act] = useAct();
  const [isWhole, setWhole] = useState(false);
  const loaded = useLoad('audit', async (signal) => {
    const found = await api.audit({ limit: LIMIT }, signal);
    setWhole(found.length < LIMIT);
    return found;
  });
  const more = (lines: readonly Audit[]) => act(async () => {
    try {
      const found = await api.audit({ before: lines.at(-1)?.id, limit: LIMIT });
      setWhole(found.length < LIMIT);
      loaded.setData((old) => [...(old ?? []), ...found]);
    } catch (cause) {
      toasts.bad(cause);
    }
  });
  return (
    <Page title={s.audit} lead={t.lead}>
      <Show loaded={loaded}>
        {(lines) => (
          <>
            <Table
              caption={s.audit}
              rows={lines}
              rowKey={(line) => line.id}
              empty={<Empty icon="list" title={t.nothing} />}
              columns={[
                { id: 'at', title: t.at, cell: (line) => <Time at={line.at} /> },
                { id: 'who', title: t.who, header: true, label: '', cell: (line) => line.user },
                { id: 'what', title: t.what, cell: (line) => <>{actions[line.action] ?? ''} <code className="small muted">{line.action}</code></> },
                { id: 'subject', title: t.subject, isIdle: (line) => line.subject === undefined, cell: (line) => <span className="break">{line.subject}</span> },
                { id: 'address', title: t.address, isIdle: (line) => line.address === undefined, cell: (line) => <span className="num">{line.address}</span> },
                {
                  id: 'outcome',
                  title: t.outcome,
                  cell: (line) => (line.outcome === 'done'
                    ? <Badge tone="good" icon="check">{t.done}</Badge>
                    : <Badge tone="warning" icon="cross">{outcomes[line.outcome] ?? line.outcome}</Badge>),
                },
              ]}
            />
            {!isWhole && lines.length > 0 && (
              <p className="more"><Button busy={isBusy} onClick={() => more(lines)}>{w.loadMore}</Button></p>
            )}
          </>
        )}
      </Show>
    </Page>
  );
}
