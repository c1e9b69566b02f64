// What is wrong with state, clock, disk, accounts and files, and how to mend it.

import { api } from '../api/client';
import type { Diagnosis, Health } from '../api/types';
import { texts, useTexts } from '../i18n';
import { shell } from '../layout/texts';
import { useLoad } from '../load';
import { Badge, Button, Empty, HEALTH_LOOK, Icon, Page, Prose, Show } from '../ui';

const dictionary = texts(
  {
    lead: 'What `milkrun doctor` finds: state, clock, disk, accounts, files.',
    again: 'Look again',
    good: 'good',
    warning: 'warning',
    bad: 'bad',
    allGood: 'Nothing is wrong',
    someBad: (n: number) => (n === 1 ? '1 thing needs mending' : `${n} things need mending`),
    nothing: 'Nothing was looked at',
    things: { state: 'State', clock: 'Clock', disk: 'Disk', accounts: 'Accounts', files: 'Files', flows: 'Flows' },
  },
  {
    lead: '`milkrun doctor` 的检查结果：状态数据、时钟、磁盘、账户、文件。',
    again: '重新检查',
    good: '正常',
    warning: '警告',
    bad: '异常',
    allGood: '一切正常',
    someBad: (n) => `${n} 处需要处理`,
    nothing: '没有检查任何内容',
    things: { state: '状态数据', clock: '时钟', disk: '磁盘', accounts: '账户', files: '文件', flows: '流程' },
  },
);

const ORDER: readonly Health[] = ['bad', 'warning', 'good'];

/** The worst first; the order of the server among equals. */
export function sorted(found: readonly Diagnosis[]): Diagnosis[] {
  return [...found].sort((a, b) => ORDER.indexOf(a.health) - ORDER.indexOf(b.health));
}

/** The page. */
export default function DoctorPage() {
  const t = useTexts(dictionary);
  const s = useTexts(shell);
  const loaded = useLoad('doctor', (signal) => api.doctor(signal));
  const things: Record<string, string> = t.things;
  const names: Record<Health, string> = { good: t.good, warning: t.warning, bad: t.bad };
  return (
    <Page
      title={s.doctor}
      lead={<Prose text={t.lead} />}
      actions={<Button icon="pulse" busy={loaded.isLoading} onClick={loaded.reload}>{t.again}</Button>}
    >
      <Show loaded={loaded}>
        {(found) => {
          const wrong = found.filter((one) => one.health !== 'good').length;
          if (found.length === 0) return <Empty title={t.nothing} />;
          return (
            <>
              <div className={wrong === 0 ? 'glance glance-good' : 'glance glance-warning'}>
                <Icon name={wrong === 0 ? 'check' : 'warning'} className="icon-large" />
                <p className="glance-title">{wrong === 0 ? t.allGood : t.someBad(wrong)}</p>
              </div>
              <ul className="findings">
                {sorted(found).map((one, index) => {
                  const look = HEALTH_LOOK[one.health] ?? HEALTH_LOOK.warning;
                  return (
                    <li key={`${one.what} ${index}`} className="finding">
                      <Badge tone={look.tone} icon={look.icon}>{names[one.health] ?? one.health}</Badge>
                      <div>
                        <p className="small muted">{things[one.what] ?? one.what}</p>
                        <p className="break"><Prose text={one.finding} /></p>
                        {one.advice !== undefined && <p className="finding-advice break"><Prose text={one.advice} /></p>}
                      </div>
                    </li>
                  );
                })}
              </ul>
            </>
          );
        }}
      </Show>
    </Page>
  );
}
