// The two sides with lines between them. A line is drawn by dragging, by two clicks, or by keys.

import { type Edge, type Node, Position, ReactFlow, ReactFlowProvider } from '@xyflow/react';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { Rule } from '../api/types';
import { useTexts } from '../i18n';
import { buttonId, type CanvasActs, CanvasContext, nodeTypes, type SourceNode, type TargetNode } from './cells';
import { linesOf } from './lines';
import type { Sides } from './side';
import { rowAt } from './tree';
import { mappingWords } from './words';

const ROW = 46;
const HANDLE = 12;
/** The widest that a side gets. */
const WIDEST = 560;

type SideName = 'source' | 'target';

/** The canvas. */
export function Canvas({ sides, canEdit, chosen, badLines, onChoose, onDrop, onRemove, say }: {
  sides: Sides;
  canEdit: boolean;
  /** The target's field whose rule is shown. */
  chosen: string | undefined;
  /** Lines of the file with mistakes. */
  badLines: ReadonlySet<number>;
  onChoose: (path: string) => void;
  onDrop: (source: string, target: string) => void;
  onRemove: (target: string) => void;
  /** Says something to screen readers. */
  say: (text: string) => void;
}) {
  const t = useTexts(mappingWords);
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const { source, target, ruleAt } = sides;
  const [picked, setPicked] = useState<string>();
  const [stops, setStops] = useState<{ source?: string; target?: string }>({});
  const [isDragging, setDragging] = useState(false);

  const lines = useMemo(
    () => linesOf<Rule>([...ruleAt.values()], source.rows, target.rows),
    [ruleAt, source.rows, target.rows],
  );
  const litSource = new Set(lines.filter((line) => line.target === chosen).map((line) => line.source));
  const litTarget = new Set(lines.filter((line) => line.source === picked).map((line) => line.target));
  const read = new Set(lines.map((line) => line.source));

  const gap = Math.min(110, Math.round(width * 0.14));
  const column = Math.floor(Math.min(WIDEST, (width - gap) / 2));
  const right = width - column;
  const nodes = useKept([
    ...source.rows.map((row, idx): SourceNode => ({
      id: `s:${row.path}`,
      type: 'source',
      position: { x: 0, y: idx * ROW },
      ...sizes(column, 'source'),
      data: {
        path: row.path,
        name: row.name,
        depth: row.depth,
        field: row.field,
        hasChildren: row.n_children > 0,
        isOpen: row.isOpen,
        isStop: stopOf(source.rows, stops.source) === row.path,
        isPicked: picked === row.path,
        isLit: litSource.has(row.path),
        isRead: read.has(row.path),
      },
    })),
    ...target.rows.map((row, idx): TargetNode => {
      const rule = ruleAt.get(row.path);
      return {
        id: `t:${row.path}`,
        type: 'target',
        position: { x: right, y: idx * ROW },
        ...sizes(column, 'target'),
        data: {
          path: row.path,
          name: row.name,
          depth: row.depth,
          field: row.field,
          rule,
          hasChildren: row.n_children > 0,
          isOpen: row.isOpen,
          isStop: stopOf(target.rows, stops.target ?? chosen) === row.path,
          isChosen: chosen === row.path,
          isLit: litTarget.has(row.path),
          isBad: rule !== undefined && badLines.has(rule.line),
        },
      };
    }),
  ]);
  const edges = lines.map((line): Edge => {
    const isLit = line.target === chosen || line.source === picked;
    return {
      id: line.id,
      source: `s:${line.source}`,
      target: `t:${line.target}`,
      className: `map-line map-line-${line.rule.kind}${line.isFolded ? ' is-folded' : ''}${isLit ? ' is-lit' : ''}`,
      zIndex: isLit ? 1 : 0,
      focusable: false,
      ariaRole: 'img',
      ariaLabel: t.drawn(line.source, line.target),
    };
  });

  const focus = (side: SideName, path: string | undefined) => {
    if (path === undefined) return;
    setStops((old) => ({ ...old, [side]: path }));
    document.getElementById(buttonId(side, path))?.focus();
  };
  const letGo = () => {
    if (picked === undefined) return;
    setPicked(undefined);
    say(t.letGo);
  };
  const acts: CanvasActs = {
    canEdit,
    press: (side, path) => {
      if (side === 'source') {
        if (!canEdit) return;
        if (picked === path) letGo();
        else {
          setPicked(path);
          say(t.picked(path));
        }
      } else if (picked !== undefined) {
        setPicked(undefined);
        onDrop(picked, path);
      } else {
        onChoose(path);
      }
    },
    toggle: (side, path) => sides[side].toggle(path),
    focused: (side, path) => setStops((old) => (old[side] === path ? old : { ...old, [side]: path })),
    key: (side, path, event: KeyboardEvent) => {
      const { rows } = sides[side];
      const row = rows.find((one) => one.path === path);
      const next = rowAt<{ path: string }>(rows, path, event.key);
      if (next !== undefined) focus(side, next);
      else if (event.key === 'Escape') letGo();
      else if (event.key === 'ArrowRight' && row && row.n_children > 0 && !row.isOpen) sides[side].toggle(path);
      else if (event.key === 'ArrowLeft' && row?.isOpen) sides[side].toggle(path);
      else if ((event.key === 'Delete' || event.key === 'Backspace') && side === 'target' && canEdit) onRemove(path);
      else return;
      event.preventDefault();
    },
  };

  const n_rows = Math.max(source.rows.length, target.rows.length, 1);
  return (
    <div ref={box} className={`map-canvas${isDragging || picked !== undefined ? ' is-connecting' : ''}`}>
      {width > 0 && (
        <CanvasContext.Provider value={acts}>
          <ReactFlowProvider>
            <div style={{ height: n_rows * ROW, width }}>
              <ReactFlow
                nodes={nodes}
                edges={edges}
                nodeTypes={nodeTypes}
                nodesDraggable={false}
                nodesFocusable={false}
                edgesFocusable={false}
                nodesConnectable={canEdit}
                elementsSelectable={false}
                connectOnClick={false}
                connectionRadius={34}
                panOnDrag={false}
                panOnScroll={false}
                zoomOnScroll={false}
                zoomOnPinch={false}
                zoomOnDoubleClick={false}
                preventScrolling={false}
                autoPanOnConnect={false}
                autoPanOnNodeFocus={false}
                minZoom={1}
                maxZoom={1}
                disableKeyboardA11y
                deleteKeyCode={null}
                selectionKeyCode={null}
                proOptions={{ hideAttribution: true }}
                aria-label={t.lines}
                onConnectStart={() => setDragging(true)}
                onConnectEnd={() => setDragging(false)}
                onConnect={({ source: from, target: to }) => {
                  setPicked(undefined);
                  onDrop(from.slice(2), to.slice(2));
                }}
                onEdgeClick={(_, edge) => onChoose(edge.target.slice(2))}
              />
            </div>
          </ReactFlowProvider>
        </CanvasContext.Provider>
      )}
      {width > 0 && (source.rows.length === 0 || target.rows.length === 0) && <p className="map-nothing muted">{t.nothingHere}</p>}
    </div>
  );
}

/** Size and handle of a row, said beforehand: nothing has to be measured, and no line waits for it. */
function sizes(width: number, side: SideName): Pick<Node, 'width' | 'height' | 'measured' | 'handles'> {
  const handle = side === 'source' ? { position: Position.Right, x: width - HANDLE } : { position: Position.Left, x: 0 };
  return {
    width,
    height: ROW,
    measured: { width, height: ROW },
    handles: [{ type: side, y: (ROW - HANDLE) / 2, width: HANDLE, height: HANDLE, ...handle }],
  };
}

/** The row that Tab leads to: the one that had the focus last, if it is still there. */
function stopOf(rows: readonly { path: string }[], last: string | undefined): string | undefined {
  return rows.some((row) => row.path === last) ? last : rows[0]?.path;
}

type AnyNode = SourceNode | TargetNode;

/** The nodes, each the same object as before if nothing about it has changed: what is the same is not drawn again. */
function useKept(nodes: AnyNode[]): AnyNode[] {
  const kept = useRef(new Map<string, AnyNode>());
  const next = new Map<string, AnyNode>();
  const result = nodes.map((node) => {
    const old = kept.current.get(node.id);
    const same = old !== undefined && isSame(old, node);
    const one = same ? old : node;
    next.set(node.id, one);
    return one;
  });
  useEffect(() => {
    kept.current = next;
  });
  return result;
}

function isSame(one: AnyNode, other: AnyNode): boolean {
  if (one.position.x !== other.position.x || one.position.y !== other.position.y || one.width !== other.width) return false;
  const [left, right]: Record<string, unknown>[] = [one.data, other.data];
  return Object.keys(right ?? {}).every((key) => left?.[key] === right?.[key]);
}

