// The mapping editor: what becomes of a record, drawn, listed, written, and tried on real records.

import { type KeyboardEvent, memo, useEffect, useId, useRef, useState } from 'react';
import { api, type ApiError } from '../api/client';
import { useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { useAct } from '../load';
import { guardLeaving, links, navigate, useLocation } from '../router';
import { useIsOperator } from '../session';
import { AskDialog, Badge, Button, ErrorView, IconButton, LinkButton, Loading, Notice, Page, useToasts } from '../ui';
import { ConflictDialog } from './conflict';
import { type Draft, useDraft } from './draft';
import { type Drop, dropped, type Edit, removed } from './drop';
import { Editor, type View } from './editor';
import { usePreview } from './preview';
import { PreviewView } from './preview-view';
import { RulePanel } from './rule-panel';
import { isSourceList, isTargetList, type Seen, useSides } from './side';
import type { Tree } from './tree';
import { mappingWords } from './words';

/** As many letters fit into one preview. */
const MOST_LETTERS = 50;

/** The mapping of a flow. */
export default function MappingPage({ flow }: { flow: string }) {
  const t = useTexts(mappingWords);
  const w = useTexts(words);
  const { draft, error, reload } = useDraft(flow);
  const crumbs = [{ href: links.overview(), label: w.flows }, { href: links.flow(flow), label: flow }];
  if (!draft) {
    return (
      <Page title={w.mapping} crumbs={crumbs} lead={t.lead}>
        {error ? <ErrorView error={error} retry={reload} /> : <Loading />}
      </Page>
    );
  }
  return <Open flow={flow} draft={draft} error={error} crumbs={crumbs} />;
}

function Open({ flow, draft, error, crumbs }: {
  flow: string; draft: Draft; error: ApiError | undefined; crumbs: { href: string; label: string }[];
}) {
  const t = useTexts(mappingWords);
  const w = useTexts(words);
  const toasts = useToasts();
  const { query } = useLocation();
  const isOperator = useIsOperator();
  const { view } = draft;
  const canEdit = isOperator && view.is_editable;
  const letters = (query.get('letters') ?? '')
    .split(',')
    .filter((part) => /^\d+$/.test(part))
    .map(Number)
    .slice(0, MOST_LETTERS);

  const sides = useSides(view);
  const preview = usePreview(flow, draft.text, draft.saved, letters);
  const listId = useId();
  const sourcePaths = new Set(sides.source.tree.fields.keys());

  const [shown, setShown] = useState<View>(() => (window.innerWidth < 760 ? 'list' : 'lines'));
  const [line, setLine] = useState<number>();
  const [chosen, setChosen] = useState<string>();
  const [hint, setHint] = useState<string>();
  const [refused, setRefused] = useState<{ text: string; instead: Edit[] | undefined }>();
  const [asking, setAsking] = useState<Extract<Drop, { do: 'ask' }> & { target: string; source: string }>();
  const [ruleError, setRuleError] = useState<ApiError>();
  const [saveError, setSaveError] = useState<ApiError>();
  const [isConflict, setConflict] = useState(false);
  const [isSaved, setSaved] = useState(false);
  const [said, say] = useState('');
  const ruleArea = useRef<HTMLTextAreaElement>(null);

  // What has been said of an earlier text is said no longer.
  useEffect(() => {
    setSaveError(undefined);
    setSaved(false);
  }, [draft.text]);

  // Nobody loses what they have drawn.
  useEffect(() => {
    if (!draft.isChanged) return undefined;
    const stay = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', stay);
    const release = guardLeaving(() => window.confirm(t.leave));
    return () => {
      window.removeEventListener('beforeunload', stay);
      release();
    };
  }, [draft.isChanged, t]);

  const choose = (path: string, why?: string) => {
    setChosen(path);
    setHint(why);
    setRefused(undefined);
    setRuleError(undefined);
  };
  /** Chooses a field and goes to its rule. */
  const editRule = (path: string, why?: string) => {
    choose(path, why);
    requestAnimationFrame(() => ruleArea.current?.focus());
  };
  const apply = async (edits: readonly Edit[], done: string) => {
    setRefused(undefined);
    const problem = await draft.edit(edits);
    setRuleError(problem);
    if (!problem) say(done);
  };
  const drop = (source: string, target: string) => {
    choose(target);
    const { tree } = sides.target;
    const meant = dropped(
      {
        source: { path: source, isList: isSourceList(sides.source.tree, source) },
        target: {
          path: target,
          isList: isTargetList(tree, target, sides.ruleAt.get(target)),
          hasFields: (tree.children.get(target) ?? []).length > 0,
        },
      },
      view.rules,
    );
    switch (meant.do) {
      case 'nothing':
        say(t.isThere(source, target));
        return;
      case 'edit':
        void apply(meant.edits, t.drawn(source, target));
        return;
      case 'ask':
        setAsking({ ...meant, source, target });
        return;
      case 'refuse': {
        const { refusal } = meant;
        const text = {
          many: () => t.many(source, refusal.why === 'many' ? refusal.list : ''),
          'no-list': () => t.noList(target, refusal.why === 'no-list' ? refusal.list : ''),
          'other-list': () => (refusal.why === 'other-list' ? t.otherList(refusal.list, refusal.each) : ''),
          shape: () => t.shape(source, target),
        }[refusal.why]();
        setRefused({ text, instead: meant.instead });
        say(text);
      }
    }
  };
  const remove = (target: string) => {
    const rule = sides.ruleAt.get(target);
    if (!rule) return;
    const edit = removed(rule);
    if (edit) {
      setChosen(target);
      void apply([edit], t.removedRule(target));
    } else {
      editRule(target, t.readsMany);
    }
  };

  const [isSaving, act] = useAct();
  const save = () =>
    act(async () => {
      const problem = await draft.save();
      if (!problem) {
        setSaved(true);
        toasts.good(t.saved(flow));
      } else if (problem.status === 409) setConflict(true);
      else setSaveError(problem);
    });
  const [isReplaying, replay] = useAct();
  const sendAgain = () =>
    replay(async () => {
      try {
        const { total } = await api.deadLetters(flow, { limit: 1 });
        await api.replay(flow, { letters });
        navigate(links.letters(flow, { sent: letters.join(','), of: total }));
      } catch (cause) {
        toasts.bad(cause);
      }
    });
  const keys = (event: KeyboardEvent) => {
    if (!canEdit || !(event.ctrlKey || event.metaKey)) return;
    if (event.key === 's') {
      event.preventDefault();
      if (draft.isChanged) void save();
    }
  };

  const rule = chosen === undefined ? undefined : sides.ruleAt.get(chosen);
  const nextLine = Math.min(...view.rules.map((one) => one.line).filter((one) => rule !== undefined && one > rule.line), Infinity);
  const here = draft.isStale || !rule ? [] : view.mistakes.filter((one) => one.line >= rule.line && one.line < nextLine);
  const n_mistakes = view.mistakes.filter((one) => !one.is_warning).length;
  const toLine = (to: number) => {
    setLine(undefined);
    setShown('text');
    requestAnimationFrame(() => setLine(to));
  };
  return (
    <Page
      title={w.mapping}
      wide
      crumbs={crumbs}
      badge={draft.isChanged ? <Badge tone="warning" icon="edit">{t.changed}</Badge> : undefined}
      lead={t.lead}
      actions={
        canEdit && (
          <>
            <IconButton icon="history" label={t.undo} disabled={!draft.canUndo} onClick={draft.undo} />
            <IconButton icon="history" className="is-mirrored" label={t.redo} disabled={!draft.canRedo} onClick={draft.redo} />
            <Button look="primary" icon="check" busy={isSaving} disabled={!draft.isChanged} onClick={() => void save()}>{w.save}</Button>
          </>
        )
      }
    >
      <div className="map-page" onKeyDown={keys}>
        <p className="sr-only" role="status" aria-live="polite">{said}</p>
        {!view.is_editable && <Notice title={t.readOnly}><p>{t.readOnlyHelp}</p></Notice>}
        {view.is_editable && !isOperator && <Notice><p>{t.viewer}</p></Notice>}
        {view.source.length === 0 && <Notice title={t.noFields}><p>{t.noFieldsHelp}</p></Notice>}
        {error && <ErrorView error={error} />}
        {saveError && (
          <div role="alert">
            <h2 className="sr-only">{t.notSaved}</h2>
            <ErrorView error={saveError} />
          </div>
        )}
        {isSaved && letters.length > 0 && (
          <Notice tone="good" title={t.saveToReplay}>
            <p className="map-panel-acts">
              <Button look="primary" icon="play" busy={isReplaying} onClick={() => void sendAgain()}>{t.replayThese(letters.length)}</Button>
              <LinkButton href={links.letters(flow)}>{t.backToLetters}</LinkButton>
            </p>
          </Notice>
        )}
        <SourceList id={listId} tree={sides.source.tree} />
        <div className="map-grid">
          <Editor
            shown={shown}
            onShow={setShown}
            flow={flow}
            draft={draft}
            sides={sides}
            canEdit={canEdit}
            chosen={chosen}
            line={line}
            n_mistakes={n_mistakes}
            sourcePaths={sourcePaths}
            listId={listId}
            onChoose={choose}
            onEdit={editRule}
            onDrop={drop}
            onRemove={remove}
            say={say}
          />
          <div className="map-side">
            {refused && (
              <Notice tone="warning">
                <p>{refused.text}</p>
                {refused.instead && (
                  <p><Button small onClick={() => chosen !== undefined && void apply(refused.instead ?? [], t.drawn('', chosen))}>{t.takeFirst}</Button></p>
                )}
              </Notice>
            )}
            <RulePanel
              path={chosen}
              field={chosen === undefined ? undefined : sides.target.tree.fields.get(chosen)}
              rule={rule}
              hint={hint}
              canEdit={canEdit}
              isFree={sides.addField !== undefined}
              isBusy={draft.isBusy}
              error={ruleError}
              mistakes={here}
              sourcePaths={sourcePaths}
              listId={listId}
              ruleRef={ruleArea}
              onToml={(toml) => chosen !== undefined && void apply([{ target: rule?.target ?? chosen, rule: { toml } }], t.filledBy(toml))}
              onFrom={(source) => chosen !== undefined && drop(source, chosen)}
              onRemove={() => rule && void apply([{ target: rule.target, rule: undefined }], t.removedRule(rule.target))}
              onLine={toLine}
            />
          </div>
        </div>
        <PreviewView preview={preview} n_letters={letters.length} />
      </div>
      {asking && (
        <AskDialog
          title={t.replaceTitle}
          submit={t.replace}
          danger
          onClose={() => setAsking(undefined)}
          onSubmit={() => {
            const { edits, source, target } = asking;
            setAsking(undefined);
            void apply(edits, t.drawn(source, target));
          }}
        >
          <p>{t.replaceBody(asking.target, t.ruleKinds[asking.was] ?? asking.was)}</p>
          <pre className="map-toml-shown">{sides.ruleAt.get(asking.target)?.toml}</pre>
        </AskDialog>
      )}
      {isConflict && (
        <ConflictDialog
          flow={flow}
          mine={draft.text}
          onClose={() => setConflict(false)}
          onSettle={(theirs, keepsMine) => {
            setConflict(false);
            draft.settle(theirs, keepsMine);
            if (keepsMine) toasts.good(t.kept);
          }}
        />
      )}
    </Page>
  );
}

/** The source's fields, for inputs that suggest them. */
const SourceList = memo(function SourceList({ id, tree }: { id: string; tree: Tree<Seen> }) {
  return (
    <datalist id={id}>
      {[...tree.fields.values()].map((field) => <option key={field.path} value={field.path}>{field.samples[0] ?? ''}</option>)}
    </datalist>
  );
});
