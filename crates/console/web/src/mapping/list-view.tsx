// The mapping as a plain table: the same as the lines, for keyboards, screen readers and narrow screens.

import { useEffect, useState } from 'react';
import type { TargetField } from '../api/types';
import { useTexts } from '../i18n';
import { Badge, IconButton, Table } from '../ui';
import { useKind } from './cells';
import type { Sides } from './side';
import type { Row } from './tree';
import { mappingWords } from './words';

/** The table. */
export function ListView({ sides, canEdit, chosen, sourcePaths, listId, onEdit, onDrop, onRemove }: {
  sides: Sides;
  canEdit: boolean;
  chosen: string | undefined;
  sourcePaths: ReadonlySet<string>;
  listId: string;
  onEdit: (path: string) => void;
  onDrop: (source: string, target: string) => void;
  onRemove: (target: string) => void;
}) {
  const t = useTexts(mappingWords);
  const kind = useKind();
  return (
    <Table<Row<TargetField>>
      caption={t.listCaption}
      rows={sides.target.rows}
      rowKey={(row) => row.path}
      rowClass={(row) => (row.path === chosen ? 'is-chosen' : undefined)}
      empty={<p className="muted">{t.nothingHere}</p>}
      columns={[
        {
          id: 'target',
          title: t.target,
          header: true,
          cell: ({ path, name, depth, field }) => (
            <span className="map-list-name" style={{ paddingInlineStart: `${depth}rem` }}>
              <span className="mono" title={path}>{name}</span>
              {field?.required && <span className="map-required" title={t.required}>*<span className="sr-only">{t.required}</span></span>}
              {field && field.title !== '' && field.title !== name && <span className="map-title">{field.title}</span>}
            </span>
          ),
        },
        { id: 'type', title: t.type, cell: ({ field }) => kind(field?.kind) },
        {
          id: 'rule',
          title: t.rule,
          cell: ({ path, field, n_children }) => {
            const rule = sides.ruleAt.get(path);
            if (rule) {
              return (
                <span className="map-list-rule">
                  <span className={`map-rule map-rule-${rule.kind}`}>{t.ruleKinds[rule.kind] ?? rule.kind}</span>
                  {rule.kind !== 'fields' && <code>{rule.toml.replaceAll(/\s+/g, ' ')}</code>}
                </span>
              );
            }
            if (!field || n_children > 0) return null;
            return field.required ? <Badge tone="warning" icon="warning">{t.requiredEmpty}</Badge> : <span className="muted">{t.notFilled}</span>;
          },
        },
        {
          id: 'source',
          title: t.listSource,
          cell: ({ path }) => {
            const from = sides.ruleAt.get(path)?.from ?? [];
            if (!canEdit) return <span className="mono">{from.join(', ')}</span>;
            return <SourceInput path={path} from={from} sourcePaths={sourcePaths} listId={listId} onDrop={onDrop} />;
          },
        },
        {
          id: 'acts',
          title: <span className="sr-only">{t.acts}</span>,
          label: t.acts,
          cell: ({ path }) => (
            <span className="map-list-acts">
              <IconButton icon="edit" label={t.editRule(path)} onClick={() => onEdit(path)} />
              {canEdit && sides.ruleAt.has(path) && <IconButton icon="cross" label={t.removeRule(path)} onClick={() => onRemove(path)} />}
            </span>
          ),
        },
      ]}
    />
  );
}

/** The source's field of one rule; what is chosen or typed to the end is drawn. */
function SourceInput({ path, from, sourcePaths, listId, onDrop }: {
  path: string; from: readonly string[]; sourcePaths: ReadonlySet<string>; listId: string; onDrop: (source: string, target: string) => void;
}) {
  const t = useTexts(mappingWords);
  const written = from.join(', ');
  const [text, setText] = useState(written);
  useEffect(() => setText(written), [written]);
  const take = () => {
    if (text === written) return;
    if (sourcePaths.has(text)) onDrop(text, path);
    else setText(written);
  };
  return (
    <input
      className="mono"
      list={listId}
      aria-label={t.listSourceOf(path)}
      autoComplete="off"
      spellCheck={false}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={take}
      onKeyDown={(event) => {
        if (event.key === 'Enter') take();
        if (event.key === 'Escape') setText(written);
      }}
    />
  );
}
