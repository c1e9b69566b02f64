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
/** Rows are drawn so far beyond what is seen, and in such steps. */
const BEYOND = 12;
const STEP = 6;
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
  const [screen, setScreen] = useState({ first: 0, last: 0 });
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const look = () => {
      setWidth(element.clientWidth);
      setScreen((old) => {
        // In steps, so that not every pixel draws anew.
        const first = Math.floor(element.scrollTop / ROW / STEP) * STEP - BEYOND;
        const last = Math.ceil((element.scrollTop + element.clientHeight) / ROW / STEP) * STEP + BEYOND;
        return old.first === first && old.last === last ? old : { first, last };
      });
    };
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);

  const { source, target, ruleAt } = sides;
  const [picked, setPicked] = useState<string>();
  const [stops, setStops] = useState<{ source?: string; target?: string }>({});
  const [isDragging, setDragging] = useState(false);

  const allLines = useMemo(
    () => linesOf<Rule>([...ruleAt.values()], source.rows, target.rows),
    [ruleAt, source.rows, target.rows],
  );
  const isSeen = (idx: number) => idx >= screen.first && idx <= screen.last;
  const places = {
    source: new Map(source.rows.map((row, idx) => [row.path, idx])),
    target: new Map(target.rows.map((row, idx) => [row.path, idx])),
  };
  // A line is drawn if one of its ends is seen, and then both ends are.
  const lines = allLines.filter((line) => isSeen(places.source.get(line.source) ?? -1) || isSeen(places.target.get(line.target) ?? -1));
  const drawn = {
    source: new Set([...lines.map((line) => line.source), picked, stopOf(source.rows, stops.source)]),
    target: new Set([...lines.map((line) => line.target), chosen, stopOf(target.rows, stops.target ?? chosen)]),
  };
  const litSource = new Set(lines.filter((line) => line.target === chosen).map((line) => line.source));
  const litTarget = new Set(lines.filter((line) => line.source === picked).map((line) => line.target));
  const read = new Set(allLines.map((line) => line.source));

  const gap = Math.min(110, Math.round(width * 0.14));
  const column = Math.floor(Math.min(WIDEST, (width - gap) / 2));
  const right = width - column;
  const nodes = useKept([
    ...source.rows.flatMap((row, idx): SourceNode[] => (isSeen(idx) || drawn.source.has(row.path) ? [{
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
    }] : [])),
    ...target.rows.flatMap((row, idx): TargetNode[] => {
      if (!isSeen(idx) && !drawn.target.has(row.path)) return [];
      const rule = ruleAt.get(row.path);
      return [{
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
      }];
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

  // A row far away is drawn first, then it gets the focus.
  const wanted = useRef<string>(undefined);
  useEffect(() => {
    if (wanted.current === undefined) return;
    document.getElementById(wanted.current)?.focus();
    wanted.current = undefined;
  });
  const focus = (side: SideName, path: string) => {
    wanted.current = buttonId(side, path);
    setStops((old) => ({ ...old, [side]: path }));
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
    <div ref={box} className={`map-canvas${isDragging ? ' is-dragging' : ''}`}>
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

