// What stands in a row of the canvas: a field of the source, or one of the target with the rule that fills it.

import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { createContext, type KeyboardEvent, memo, useContext } from 'react';
import type { Rule, TargetField } from '../api/types';
import { useTexts } from '../i18n';
import { Icon } from '../ui';
import type { Seen } from './side';
import { mappingWords } from './words';

/** What the rows can ask of the canvas. */
export interface CanvasActs {
  canEdit: boolean;
  press: (side: 'source' | 'target', path: string) => void;
  key: (side: 'source' | 'target', path: string, event: KeyboardEvent) => void;
  toggle: (side: 'source' | 'target', path: string) => void;
  focused: (side: 'source' | 'target', path: string) => void;
}

export const CanvasContext = createContext<CanvasActs>({
  canEdit: false,
  press: () => {},
  key: () => {},
  toggle: () => {},
  focused: () => {},
});

interface Common extends Record<string, unknown> {
  path: string;
  name: string;
  depth: number;
  hasChildren: boolean;
  isOpen: boolean;
  /** Whether Tab leads to it. */
  isStop: boolean;
  isLit: boolean;
}

/** A row of the source. */
export type SourceNode = Node<Common & { field: Seen | undefined; isPicked: boolean; isRead: boolean }, 'source'>;
/** A row of the target. */
export type TargetNode = Node<
  Common & { field: TargetField | undefined; rule: Rule | undefined; isChosen: boolean; isBad: boolean },
  'target'
>;

/** The id of the button in a row. */
export const buttonId = (side: 'source' | 'target', path: string): string => `map-${side}-${path}`;

function Fold({ side, data }: { side: 'source' | 'target'; data: Common }) {
  const t = useTexts(mappingWords);
  const acts = useContext(CanvasContext);
  if (!data.hasChildren) return <span className="map-fold" />;
  return (
    <button
      type="button"
      tabIndex={-1}
      className="map-fold"
      aria-expanded={data.isOpen}
      aria-label={data.isOpen ? t.fold(data.name) : t.unfold(data.name)}
      onClick={() => acts.toggle(side, data.path)}
    >
      <Icon name={data.isOpen ? 'down' : 'forward'} />
    </button>
  );
}

/** The name of a kind of values, in the reader's language where it has one. */
export function useKind(): (kind: string | undefined) => string {
  const { kinds } = useTexts(mappingWords);
  return (kind) => (kind === undefined ? '' : (kinds[kind] ?? kind));
}

const indent = (depth: number) => ({ paddingInlineStart: `${0.25 + depth * 1}rem` });

function SourceRow({ data }: NodeProps<SourceNode>) {
  const t = useTexts(mappingWords);
  const kind = useKind();
  const acts = useContext(CanvasContext);
  const { field } = data;
  const sample = field?.samples.find((one) => one !== 'null') ?? '';
  const kindName = kind(field?.kind ?? 'object');
  return (
    <div className={`map-row map-row-source${data.isPicked ? ' is-picked' : ''}${data.isLit ? ' is-lit' : ''}`} style={indent(data.depth)}>
      <Fold side="source" data={data} />
      <button
        type="button"
        id={buttonId('source', data.path)}
        className="map-field"
        tabIndex={data.isStop ? 0 : -1}
        aria-pressed={acts.canEdit ? data.isPicked : undefined}
        title={field?.samples.join('\n')}
        onClick={() => acts.press('source', data.path)}
        onKeyDown={(event) => acts.key('source', data.path, event)}
        onFocus={() => acts.focused('source', data.path)}
      >
        <span className="sr-only">{t.sourceField(data.path)}</span>
        <span className="map-name" aria-hidden="true">{data.name}</span>
        <span className="map-kind">{field?.kind === 'unknown' ? t.unseen : kindName}</span>
        <span className="map-about num">{sample}</span>
      </button>
      <Handle type="source" position={Position.Right} isConnectable={acts.canEdit} className={data.isRead ? 'is-used' : ''} tabIndex={-1} />
    </div>
  );
}

function TargetRow({ data }: NodeProps<TargetNode>) {
  const t = useTexts(mappingWords);
  const kind = useKind();
  const acts = useContext(CanvasContext);
  const { field, rule } = data;
  const title = field?.title ?? '';
  const isMissing = field?.required === true && rule === undefined && !data.hasChildren;
  return (
    <div
      className={`map-row map-row-target${data.isChosen ? ' is-chosen' : ''}${data.isLit ? ' is-lit' : ''}${data.isBad ? ' is-bad' : ''}`}
      style={indent(data.depth)}
    >
      <Handle type="target" position={Position.Left} isConnectable={acts.canEdit} className={rule && rule.from.length > 0 ? 'is-used' : ''} tabIndex={-1} />
      <Fold side="target" data={data} />
      <button
        type="button"
        id={buttonId('target', data.path)}
        className="map-field"
        tabIndex={data.isStop ? 0 : -1}
        aria-pressed={data.isChosen}
        title={[title, rule?.toml].filter(Boolean).join('\n')}
        onClick={() => acts.press('target', data.path)}
        onKeyDown={(event) => acts.key('target', data.path, event)}
        onFocus={() => acts.focused('target', data.path)}
      >
        <span className="sr-only">{t.targetField(data.path, field?.required === true)}</span>
        <span className="map-name">
          <span aria-hidden="true">{data.name}</span>
          {field?.required && <span className="map-required" aria-hidden="true" title={t.required}>*</span>}
          {title !== '' && title !== data.name && <span className="map-title">{title}</span>}
        </span>
        <span className="map-kind">{kind(field?.kind)}</span>
        <span className="map-about">
          {rule ? (
            <>
              <span className={`map-rule map-rule-${rule.kind}`}>{t.ruleKinds[rule.kind] ?? rule.kind}</span>
              {rule.kind !== 'fields' && <code>{rule.toml.replaceAll(/\s+/g, ' ')}</code>}
            </>
          ) : isMissing ? (
            <span className="map-missing"><Icon name="warning" />{t.requiredEmpty}</span>
          ) : field && !data.hasChildren ? (
            <span className="muted">{t.notFilled}</span>
          ) : null}
        </span>
      </button>
    </div>
  );
}

/** The kinds of nodes of the canvas. */
export const nodeTypes = { source: memo(SourceRow), target: memo(TargetRow) };
