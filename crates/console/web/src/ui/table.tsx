// Tables of rows. On a narrow screen each row becomes a card whose cells carry the names of their columns.

import type { Key, ReactNode } from 'react';

/** A column. */
export interface Column<T> {
  /** Names it among the columns. */
  id: string;
  /** Its heading. */
  title: ReactNode;
  /** The heading as a text, for the cards of narrow screens; the heading itself if that is a text. */
  label?: string;
  /** What a row shows in it. */
  cell: (row: T) => ReactNode;
  /** Whether it holds numbers: they stand at the right, digit under digit. */
  numeric?: boolean;
  /** Whether its cells name their rows. */
  header?: boolean;
  /** Whether the cell of a row says nothing, so that a card of a narrow screen leaves it out. */
  isIdle?: (row: T) => boolean;
}

/** A table. `caption` says what it holds, to screen readers only unless `showCaption`. */
export function Table<T>({ caption, columns, rows, rowKey, rowClass, empty, showCaption = false }: {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => Key;
  rowClass?: (row: T) => string | undefined;
  empty?: ReactNode;
  showCaption?: boolean;
}) {
  if (rows.length === 0 && empty !== undefined) return <>{empty}</>;
  return (
    <div className="table-wrap" role="group" aria-label={caption} tabIndex={0}>
      <table className="table">
        <caption className={showCaption ? undefined : 'sr-only'}>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.id} scope="col" className={column.numeric ? 'numeric' : undefined}>{column.title}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} className={rowClass?.(row)}>
              {columns.map((column) => {
                const label = column.label ?? (typeof column.title === 'string' ? column.title : undefined);
                const classes = [column.numeric && 'numeric num', column.isIdle?.(row) && 'cell-idle'].filter(Boolean);
                const className = classes.length > 0 ? classes.join(' ') : undefined;
                return column.header ? (
                  <th key={column.id} scope="row" className={className} data-label={label}>{column.cell(row)}</th>
                ) : (
                  <td key={column.id} className={className} data-label={label}>{column.cell(row)}</td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
