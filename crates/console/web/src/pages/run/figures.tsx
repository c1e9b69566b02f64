// The figures of a run: what became of every record, how the slices were proved, which stayed open.

import type { Counts, ProvedBy, SliceState } from '../../api/types';
import { count, dateTime } from '../../format';
import { useTexts } from '../../i18n';
import { words } from '../../i18n/shared';
import { FATES, sumOf } from '../../parts/flow-state';
import { Badge, Empty, Facts, Icon, Prose, Table } from '../../ui';
import { runTexts } from './texts';

type Fate = (typeof FATES)[number];

const FILL: Record<Fate, string> = {
  new: 'fate-new', changed: 'fate-changed', unchanged: 'fate-unchanged', older: 'fate-older', filtered: 'fate-filtered',
  refused: 'fate-refused', pending: 'fate-pending',
};

/** A part in percent, with one digit where it would else be 0 or 100 wrongly. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (part / whole) * 100;
  if (percent === 0 || percent === 100) return `${percent}%`;
  if (percent < 0.1) return '<0.1%';
  if (percent > 99.9) return '>99.9%';
  return `${percent.toFixed(1)}%`;
}

/** Every record that was read is in exactly one of the rows. */
export function Fates({ counts, isLive, lettersHref }: { counts: Counts; isLive: boolean; lettersHref: string }) {
  const t = useTexts(runTexts);
  const sum = sumOf(counts);
  const fits = sum === counts.records;
  return (
    <div className="card fates">
      <div className="fate-bar" aria-hidden="true">
        {FATES.filter((fate) => counts[fate] > 0).map((fate) => (
          <span key={fate} className={FILL[fate]} style={{ flexGrow: counts[fate] }} />
        ))}
      </div>
      <table className="fate-table">
        <caption className="sr-only">{t.figures}</caption>
        <thead className="sr-only">
          <tr><th scope="col">{t.fate}</th><th scope="col">{t.read}</th><th scope="col">{t.part}</th></tr>
        </thead>
        <tbody>
          {FATES.map((fate) => (
            <tr key={fate} className={counts[fate] === 0 ? 'muted' : undefined}>
              <th scope="row">
                <span className={`fate-key ${FILL[fate]}`} aria-hidden="true" />
                {fate === 'refused' && counts.refused > 0 ? <a href={lettersHref}>{t.fates[fate]}</a> : t.fates[fate]}
                <span className="small muted fate-help">{t.fateHelp[fate]}</span>
              </th>
              <td className="numeric num">{count(counts[fate])}</td>
              <td className="numeric num muted">{share(counts[fate], counts.records)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">
              {t.read}
              <span className={fits ? 'small text-good fate-help' : 'small text-warning fate-help'}>
                <Icon name={fits ? 'check' : isLive ? 'dots' : 'unequal'} />{' '}
                {fits ? t.addsUp(counts.records) : isLive ? t.stillMoving : t.addsUpNot(sum, counts.records)}
              </span>
            </th>
            <td className="numeric num strong">{count(counts.records)}</td>
            <td />
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

/** The other figures. */
export function Numbers({ counts, calls }: { counts: Counts; calls: number }) {
  const t = useTexts(runTexts);
  const figures: [string, number][] = [
    [t.documents, counts.documents], [t.pages, counts.pages], [t.calls, calls], [t.proved, counts.proved_slices],
    [t.openSlices, counts.open_slices], [t.splits, counts.splits], [t.vain, counts.readings_in_vain], [t.expected, counts.expected],
  ];
  return (
    <div className="card">
      <Facts facts={figures.map(([name, value]) => ({ name, value: <span className="num big">{count(value)}</span> }))} />
    </div>
  );
}

/** How the slices were proved. */
export function Proofs({ proved }: { proved: readonly ProvedBy[] }) {
  const t = useTexts(runTexts);
  const w = useTexts(words);
  const plans: Record<string, string> = t.plans;
  return (
    <Table
      caption={t.how}
      rows={proved}
      rowKey={(row) => row.plan}
      empty={<Empty icon="info" title={t.noProof} />}
      columns={[
        {
          id: 'plan',
          title: t.plan,
          header: true,
          label: '',
          cell: (row) => (
            <span><code>{row.plan}</code> <span className="small muted plan-words">{plans[row.plan]}</span></span>
          ),
        },
        { id: 'slices', title: t.slices, numeric: true, cell: (row) => count(row.slices) },
        { id: 'distinct', title: t.distinct, numeric: true, cell: (row) => (row.distinct === undefined ? <span className="muted">{t.notCounted}</span> : count(row.distinct)) },
        {
          id: 'total',
          title: t.total,
          numeric: true,
          cell: (row) => (row.total === undefined ? <span className="muted">{w.notGiven}</span> : (
            <span className="total">
              {count(row.total)}{' '}
              <Compared total={row.total} distinct={row.distinct} />
            </span>
          )),
        },
      ]}
    />
  );
}

/** The vendor's total beside the distinct keys: a source may hold a row twice and still be proved. */
function Compared({ total, distinct }: { total: number; distinct: number | undefined }) {
  const t = useTexts(runTexts);
  if (distinct === undefined) return null;
  if (total === distinct) return <Badge tone="good" icon="check">{t.equal}</Badge>;
  if (total > distinct) return <Badge tone="quiet" icon="info">{t.repeated}</Badge>;
  return <Badge tone="warning" icon="unequal">{t.unequal}</Badge>;
}

/** What a slice covers, as instants where it has them. */
export function Covers({ slice }: { slice: SliceState }) {
  if (slice.from === undefined || slice.until === undefined) return <span className="break">{slice.covers}</span>;
  return <span className="num" title={slice.covers}>{dateTime(slice.from)} – {dateTime(slice.until)}</span>;
}

/** Slices as a table. */
export function Slices({ slices, caption, empty }: { slices: readonly SliceState[]; caption: string; empty?: React.ReactNode }) {
  const t = useTexts(runTexts);
  const w = useTexts(words);
  const hasReasons = slices.some((slice) => slice.reason !== undefined);
  return (
    <Table
      caption={caption}
      rows={slices}
      rowKey={(slice) => slice.id}
      empty={empty}
      columns={[
        { id: 'covers', title: t.covers, header: true, label: '', cell: (slice) => <Covers slice={slice} /> },
        { id: 'pages', title: w.pages, numeric: true, cell: (slice) => count(slice.pages) },
        { id: 'records', title: w.records, numeric: true, cell: (slice) => count(slice.records) },
        ...(hasReasons ? [{
          id: 'why',
          title: t.why,
          isIdle: (slice: SliceState) => slice.reason === undefined,
          cell: (slice: SliceState) => slice.reason && <span className="break"><Prose text={slice.reason} /></span>,
        }] : []),
      ]}
    />
  );
}
