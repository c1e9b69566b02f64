// A server for working on the page without an installation: the whole API over made-up data, and the built page.
//
// `node mock/server.mjs [--port 7788] [--open] [--now 2026-11-27T02:00:00Z]`; users `ops` and `viewer`, the password
// is the name. With `--open` nobody has to sign in.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { DAY, HOUR, iso, make, MINUTE, runOf } from './data.mjs';
import * as mapping from './mapping.mjs';

const DIST = join(dirname(fileURLToPath(import.meta.url)), '../dist');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.txt': 'text/plain; charset=utf-8' };
const SECURITY = { 'content-security-policy': "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'", 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' };

class Refusal extends Error {
  constructor(status, kind, message, help) {
    super(message);
    this.status = status;
    this.problem = { kind, message, ...(help ? { help } : {}) };
  }
}

/** Begins to serve; resolves to the server and its address. */
export async function serve({ port = 7788, open = false, now: fixed } = {}) {
  const world = make(fixed ? new Date(fixed).getTime() : Date.now());
  const began = Date.now();
  const now = () => (fixed ? world.now + (Date.now() - began) : Date.now());
  const sessions = new Map();
  const streams = new Set();
  const audit = [];
  const alerts = {
    revision: 1, quiet_hours: '22:00-08:00', zone: 'Asia/Shanghai',
    channels: [
      { name: 'duty', kind: 'dingtalk', reaches: 'oapi.dingtalk.com' }, { name: 'finance', kind: 'feishu', reaches: 'open.feishu.cn' },
      { name: 'it', kind: 'mail', reaches: 'it@example.com, ops@example.com' }, { name: 'bus', kind: 'webhook', reaches: 'hooks.example.com' }, { name: 'warehouse', kind: 'wecom', reaches: 'qyapi.weixin.qq.com' },
    ],
    rules: [
      ['run-failed', 'so many runs of a flow failed in succession', '流程连续失败达到此次数', true, '1'],
      ['run-unreconciled', 'so many runs in succession did not prove that everything arrived', '连续未能证明数据全部到达的运行达到此次数', true, '1'],
      ['dead-letters', 'a flow has so many dead letters', '流程的死信达到此数量', true, '1'],
      ['lag', 'a flow is behind by more than this, beyond the pause of its timetable', '流程的落后时间（不计时间表本身的间隔）超过此时长', true, '2h'],
      ['no-records', 'a flow finds no records for so long, or for so many times its longest usual silence', '流程无新记录的时间超过此时长，或超过平时最长间隔的此倍数', true, '2x'],
      ['token-expires', "an account's access ends within this time unless a person acts", '账户的授权将在此时长内到期，需人工处理', true, '7d'],
      ['token-refused', "an account's token was refused, or its renewal", '账户的令牌或其续期被拒绝', true],
      ['quota-low', "less than this share of an account's calls is left for the day or the month", '账户当日或当月的剩余调用次数低于此比例', true, '10%'],
      ['disk-low', 'less than this is free on the disk of the state', '状态所在磁盘的可用空间低于此值', false, '2GB'],
    ],
  };
  const flowNamed = (name, lang) => {
    const flow = world.flows.find((candidate) => candidate.name === name);
    if (!flow) throw new Refusal(404, 'not-found', lang === 'zh' ? `没有名为 \`${name}\` 的流程` : `no flow is called \`${name}\``);
    return flow;
  };
  const emit = (event) => {
    for (const stream of streams) stream.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  const clean = (run, lang) => {
    const { hasLetters, ...summary } = run;
    const reason = hasLetters ? world.reasons.letters : world.reasons[run.verdict];
    return reason ? { ...summary, reason: reason[lang] } : summary;
  };

  // The runs under way, by flow. They advance once a second and end by themselves.
  const live = new Map();
  const begin = (flow, work = 'run', at = now()) => {
    const id = flow.past.length + 1;
    live.set(flow.name, {
      id, flow: flow.name, started: iso(Math.floor(at / 1000) * 1000), work, calls: 0, want: Math.max(flow.size, 40),
      counts: { pages: 0, records: 0, new: 0, changed: 0, unchanged: 0, older: 0, filtered: 0, refused: 0, pending: 0, documents: 0, open_slices: 8, proved_slices: 0, splits: 0, readings_in_vain: 0, expected: Math.max(flow.size, 40) },
      slices: Array.from({ length: 8 }, (_, k) => {
        const from = Math.floor(at / HOUR) * HOUR - (8 - k) * 3 * HOUR;
        return { id: 9_000 + k, covers: `${iso(from)} – ${iso(from + 3 * HOUR)}`, from: iso(from), until: iso(from + 3 * HOUR), pages: 0, records: 0 };
      }),
    });
    emit({ type: 'started', flow: flow.name });
  };
  const end = (name, verdict) => {
    const run = live.get(name);
    if (!run) return;
    live.delete(name);
    const flow = world.flows.find((candidate) => candidate.name === name);
    const summary = { id: run.id, flow: name, started: run.started, ended: iso(Math.floor(now() / 1000) * 1000), verdict, records: run.counts.records, documents: run.counts.documents, calls: run.calls };
    flow.past.push(summary);
    emit({ type: 'ended', run: summary });
  };
  const publicRun = ({ want, ...run }) => run;
  const advance = () => {
    for (const run of live.values()) {
      const { counts } = run;
      const step = Math.min(run.want - counts.records, Math.max(5, Math.round(run.want / 90)));
      counts.records += step;
      counts.pages += Math.ceil(step / 100);
      run.calls += Math.ceil(step / 100);
      counts.changed = Math.round(counts.records * 0.12);
      counts.unchanged = Math.round(counts.records * 0.6);
      counts.filtered = Math.round(counts.records * 0.02);
      counts.pending = Math.min(60, counts.records - counts.changed - counts.unchanged - counts.filtered);
      counts.new = counts.records - counts.changed - counts.unchanged - counts.filtered - counts.pending;
      counts.documents = counts.new + counts.changed;
      counts.proved_slices = Math.floor((counts.records / run.want) * 8);
      counts.open_slices = 8 - counts.proved_slices;
      run.slices = run.slices.filter((slice) => slice.id >= 9_000 + counts.proved_slices);
      const first = run.slices[0];
      if (first) {
        first.records = Math.round(counts.records % (run.want / 8));
        first.pages = Math.ceil(first.records / 100);
      }
      if (run.calls % 5 === 0) run.waits_for = 'quota kuaimai-main: 60 per minute';
      else delete run.waits_for;
      emit({ type: 'progress', run: publicRun(run) });
      if (counts.records >= run.want) end(run.flow, 'reconciled');
    }
  };
  begin(world.flows.find((flow) => flow.runs), 'run', world.now - 40_000);
  for (let k = 0; k < 40; k += 1) advance();
  const timer = setInterval(() => {
    advance();
    if (live.size === 0) begin(world.flows.find((flow) => flow.runs));
  }, 1_000);

  const nextStart = (flow, after) => (flow.hand ? undefined : Math.floor(after / flow.every) * flow.every + flow.every);
  const flowOf = (flow, lang) => {
    const running = live.get(flow.name);
    const last = flow.past.at(-1);
    const good = [...flow.past].reverse().find((run) => run.verdict === 'reconciled');
    const proved = good ? new Date(good.started).getTime() : undefined;
    return {
      name: flow.name, source_account: flow.source, stream: flow.stream, sink_account: flow.sink, target: flow.target,
      is_usable: !flow.hand, has_file: !flow.hand,
      ...(flow.schedule ? { schedule: flow.schedule, schedule_words: flow[lang], next_start: iso(nextStart(flow, now())) } : {}),
      ...(running ? { running: publicRun(running) } : {}),
      ...(last ? { last_run: clean(last, lang) } : {}),
      recent: flow.past.slice(-30).map((run) => clean(run, lang)),
      ...(proved ? { proved_until: iso(proved), lag_secs: Math.max(0, Math.round((now() - proved) / 1000)) } : {}),
      delivered: flow.past.reduce((sum, run) => sum + run.documents, 0) * 3,
      open_slices: running ? running.counts.open_slices : flow.partial ? 2 : flow.fails ? 4 : 0,
      pending: running ? running.counts.pending : flow.partial ? 3 : 0,
      dead_letters: world.letters.filter((letter) => letter.flow === flow.name).length,
      backfills: flow.backfills ?? (flow.name === 'jst-orders' ? [{ from: iso(world.now - 90 * DAY), until: iso(world.now - 60 * DAY), open_slices: 17 }] : []),
    };
  };
  const accounts = (lang) => [
    { name: 'kuaimai-main', connector: 'kuaimai', title: lang === 'zh' ? '快麦' : 'Kuaimai', is_usable: true, token: { since: iso(world.now - 30 * DAY), expires: iso(world.now - 80 * MINUTE), dead: lang === 'zh' ? '会话已失效，无法刷新：请用 `milkrun login kuaimai-main` 重新授权' : 'the session is dead and cannot be refreshed: authorise the account again with `milkrun login kuaimai-main`' }, quotas: [{ calls: 15, per_secs: 1, left: 12 }, { calls: 500, per_secs: 60, left: 38 }, { calls: 200_000, per_secs: DAY / 1000, left: 61_250 }], calls: 138_750, flows: ['items', 'orders', 'refunds', 'stock'] },
    { name: 'jushuitan-shop', connector: 'jushuitan', title: lang === 'zh' ? '聚水潭' : 'Jushuitan', is_usable: true, token: { since: iso(world.now - 24 * DAY), expires: iso(world.now + 6 * DAY + 5 * HOUR) }, quotas: [{ calls: 5, per_secs: 1, left: 5 }, { calls: 100, per_secs: 60, left: 71 }], calls: 20_412, flows: ['jst-orders', 'jst-purchase'] },
    { name: 'yonyou-mdd', connector: 'yonyou-mdd', title: lang === 'zh' ? '用友 YonBIP（MDD）' : 'Yonyou YonBIP (MDD)', is_usable: true, token: { since: iso(world.now - 50 * MINUTE), expires: iso(world.now + 70 * MINUTE) }, quotas: [{ calls: 60, per_secs: 60, left: 22 }], calls: 8_120, flows: ['jst-purchase', 'orders', 'refunds'] },
    { name: 'tplus-hq', connector: 'chanjet-tplus', title: lang === 'zh' ? '畅捷通 T+' : 'Chanjet T+', is_usable: true, token: { since: iso(world.now - 2 * DAY) }, quotas: [{ calls: 10, per_secs: 1, left: 10 }], calls: 991, flows: ['jst-orders', 'stock', 'suppliers-2025-archive', 'vouchers'] },
    { name: 'files', connector: 'file', title: lang === 'zh' ? '文件' : 'Files', is_usable: true, quotas: [], calls: 0, flows: ['items', 'suppliers-2025-archive', 'vouchers'] },
  ];
  const incidents = (lang) => [
    { id: 'token-refused/kuaimai-main', rule: 'token-refused', account: 'kuaimai-main', title: lang === 'zh' ? '账户 kuaimai-main 的令牌已失效，无法刷新' : 'the token of account kuaimai-main is dead and cannot be renewed', advice: lang === 'zh' ? '运行 `milkrun login kuaimai-main` 重新授权' : 'authorise it again: `milkrun login kuaimai-main`', since: iso(world.now - 80 * MINUTE), told: ['duty', 'it'] },
    { id: 'run-failed/refunds', rule: 'run-failed', flow: 'refunds', title: lang === 'zh' ? '流程 refunds 连续 6 次失败' : 'flow refunds has failed 6 times in a row', advice: lang === 'zh' ? '查看其最近一次运行；它会从中断处继续' : 'look at its last run; it goes on where it ended', since: iso(world.now - 79 * MINUTE), told: ['duty'] },
    { id: 'dead-letters/orders', rule: 'dead-letters', flow: 'orders', title: lang === 'zh' ? '流程 orders 有 7 条记录被拒绝' : 'flow orders has 7 refused records', advice: lang === 'zh' ? '阅读死信，修正映射后重放' : 'read the dead letters, mend the mapping and replay them', documents: 7, since: iso(world.now - 26 * MINUTE), told: ['duty'] },
    { id: 'lag/vouchers', rule: 'lag', flow: 'vouchers', title: lang === 'zh' ? '流程 vouchers 滞后 3 小时' : 'flow vouchers lagged by 3 h', advice: lang === 'zh' ? '查看它在等待什么' : 'look at what it waits for', since: iso(world.now - 2 * DAY), until: iso(world.now - 2 * DAY + 4 * HOUR), told: ['it'] },
    { id: 'disk-low', rule: 'disk-low', title: lang === 'zh' ? '磁盘剩余 8%' : 'the disk has 8% left', advice: lang === 'zh' ? '清理磁盘，或缩短保留期' : 'free some space, or keep less', since: iso(world.now - 9 * DAY), until: iso(world.now - 8 * DAY), told: [] },
  ];
  for (let k = 0; k < 120; k += 1) {
    const [action, subject, outcome] = [['flow.run', 'orders', 'done'], ['session.sign-in', undefined, 'done'], ['mapping.save', 'orders', 'done'], ['dead-letters.replay', 'orders', 'done'], ['flow.cancel', 'stock', 'forbidden'], ['session.sign-in', undefined, 'wrong-credentials']][k % 6];
    audit.push({ id: k + 1, at: iso(world.now - (120 - k) * 37 * MINUTE), user: k % 5 === 4 ? 'viewer' : 'ops', address: '10.0.0.17', action, ...(subject ? { subject } : {}), outcome });
  }
  const note = (session, action, subject) => audit.push({ id: audit.length + 1, at: iso(now()), user: session.user, address: '127.0.0.1', action, ...(subject ? { subject } : {}), outcome: 'done' });

  const letterFor = (letter, lang) => ({ ...letter, reason: letter.reason[lang] });
  const samples = () => world.delivered.slice(0, 5).map((record) => record.text);

  async function route({ method, parts, query, body, lang, session }) {
    const [first, name, third, fourth, fifth] = parts;
    const is = (verb, ...pattern) => method === verb && pattern.length === parts.length && pattern.every((part, index) => part === '*' || part === parts[index]);
    if (is('GET', 'overview')) {
      return {
        now: iso(Math.floor(now() / 1000) * 1000), version: '0.2.0', flows: world.flows.map((flow) => flowOf(flow, lang)).sort((a, b) => (a.name < b.name ? -1 : 1)), accounts: accounts(lang), incidents: incidents(lang).filter((incident) => !incident.until),
        mistakes: [{ file: 'flows/suppliers.toml', line: 4, column: 11, message: lang === 'zh' ? '账户 `tplus-hq` 没有名为 `supliers` 的数据流' : 'account `tplus-hq` has no stream called `supliers`', help: lang === 'zh' ? '您是否想写 `suppliers`？' : 'did you mean `suppliers`?', is_warning: false }],
        disk: { free: 41_200_000_000, total: 107_300_000_000, state: 2_310_000_000 },
      };
    }
    if (is('GET', 'accounts', '*')) {
      const account = accounts(lang).find((candidate) => candidate.name === name);
      if (!account) throw new Refusal(404, 'not-found', `no account is called \`${name}\``);
      return account;
    }
    if (is('GET', 'flows', '*')) return flowOf(flowNamed(name, lang), lang);
    if (is('POST', 'flows', '*', 'run')) {
      const flow = flowNamed(name, lang);
      if (live.has(name)) throw new Refusal(409, 'busy', lang === 'zh' ? `流程 \`${name}\` 正在运行` : `flow \`${name}\` is running already`, lang === 'zh' ? '等待其结束，或将其取消' : 'wait until it ends, or cancel it');
      begin(flow);
      note(session, 'flow.run', name);
      return { status: 202 };
    }
    if (is('POST', 'flows', '*', 'cancel')) {
      setTimeout(() => end(name, 'partial'), 1_500);
      note(session, 'flow.cancel', name);
      return { status: 202 };
    }
    if (is('POST', 'flows', '*', 'backfill')) {
      const flow = flowNamed(name, lang);
      flow.backfills = [...(flow.backfills ?? []), { from: body.from, until: body.until, open_slices: 30 }];
      note(session, 'flow.backfill', name);
      return { status: 202 };
    }
    if (is('GET', 'flows', '*', 'runs')) {
      const limit = Number(query.get('limit') ?? 50);
      const before = Number(query.get('before') ?? Infinity);
      const running = live.get(name);
      const all = [...flowNamed(name, lang).past, ...(running ? [{ id: running.id, flow: name, started: running.started, records: running.counts.records, documents: running.counts.documents, calls: running.calls }] : [])];
      const below = all.filter((run) => run.id < before).reverse();
      const runs = below.slice(0, limit).map((run) => clean(run, lang));
      return { runs, ...(below.length > limit ? { next: runs.at(-1).id } : {}) };
    }
    if (is('GET', 'flows', '*', 'runs', '*')) {
      const flow = flowNamed(name, lang);
      const running = live.get(name);
      if (running?.id === Number(fourth)) {
        const summary = { id: running.id, flow: name, started: running.started, records: running.counts.records, documents: running.counts.documents, calls: running.calls };
        return { ...runOf(world, flow, summary, lang), counts: running.counts, open: [], live: publicRun(running) };
      }
      const summary = flow.past.find((run) => run.id === Number(fourth));
      if (!summary) throw new Refusal(404, 'not-found', lang === 'zh' ? `流程 \`${name}\` 没有第 ${fourth} 次运行` : `flow \`${name}\` has no run ${fourth}`);
      const run = runOf(world, flow, summary, lang);
      return { ...run, summary: clean(summary, lang) };
    }
    if (is('GET', 'calendar')) {
      const [from, until] = [new Date(query.get('from')).getTime(), new Date(query.get('until')).getTime()];
      const entries = [];
      for (const flow of world.flows) {
        for (const run of flow.past) {
          const at = new Date(run.started).getTime();
          if (at >= from && at < until) entries.push({ flow: flow.name, at: run.started, ...(run.ended ? { ended: run.ended } : {}), run: run.id, ...(run.verdict ? { verdict: run.verdict } : {}) });
        }
        const running = live.get(flow.name);
        if (running && new Date(running.started).getTime() < until) entries.push({ flow: flow.name, at: running.started, run: running.id, is_under_way: true });
        let next = nextStart(flow, Math.max(now(), from - 1));
        while (next !== undefined && next < until) {
          if (next >= from) entries.push({ flow: flow.name, at: iso(next) });
          next += flow.every;
        }
      }
      return entries.sort((a, b) => (a.at < b.at ? -1 : 1));
    }
    if (is('GET', 'flows', '*', 'dead-letters')) {
      flowNamed(name, lang);
      const all = world.letters.filter((letter) => letter.flow === name);
      const text = query.get('text')?.toLowerCase();
      const wanted = all.filter((letter) => letter.id > Number(query.get('after') ?? 0) && (!query.get('stage') || letter.stage === query.get('stage'))
        && (!text || `${letter.key} ${letter.number} ${letter.reason[lang]} ${letter.record}`.toLowerCase().includes(text)));
      const limit = Number(query.get('limit') ?? 50);
      const letters = wanted.slice(0, limit).map((letter) => letterFor(letter, lang));
      return { letters, ...(wanted.length > limit ? { next: letters.at(-1).id } : {}), total: all.length };
    }
    if (is('POST', 'flows', '*', 'dead-letters', 'replay')) {
      const flow = flowNamed(name, lang);
      const wanted = world.letters.filter((letter) => letter.flow === name && (!body.letters || body.letters.includes(letter.id)));
      begin({ ...flow, size: wanted.length * 8 }, 'replay');
      setTimeout(() => {
        const ids = wanted.filter((letter) => letter.stage !== 'target').map((letter) => letter.id);
        const seen = mapping.preview(mapping.view(name, lang, []).text, wanted.map((letter) => ({ letter: letter.id, key: letter.key, record: letter.record })), lang).records;
        const stay = new Set(seen.filter((record) => record.outcome === 'refused').map((record) => record.letter));
        for (const letter of wanted) {
          if (ids.includes(letter.id) && !stay.has(letter.id)) world.delivered.push({ tid: letter.number, oid: String(letter.key).slice(0, -1), text: letter.record });
        }
        world.letters = world.letters.filter((letter) => !ids.includes(letter.id) || stay.has(letter.id));
        end(name, 'reconciled');
      }, 2_500);
      note(session, 'dead-letters.replay', name);
      return { status: 202 };
    }
    if (method === 'POST' && parts.length === 5 && fifth === 'arrived') {
      world.letters = world.letters.filter((letter) => letter.id !== Number(fourth));
      note(session, 'dead-letters.arrived', name);
      return { status: 204 };
    }
    if (is('GET', 'trace')) {
      const id = query.get('id') ?? '';
      const found = world.delivered.filter((record) => record.tid === id || `${record.oid}0` === id).map((record) => ({
        flow: 'orders', key: `${record.oid}0`, target: 'sales-order', delivered_at: iso(world.now - 3 * HOUR), remote_id: '1893475610293847561', idempotency_key: `orders:${record.oid}0:3`, page: 4_102, record: record.text,
        documents: mapping.preview(mapping.view('orders', lang, []).text, [{ key: record.oid, record: record.text.replace('"buyerTaxNo":""', '"buyerTaxNo":"-"') }], lang).records[0].documents, mapping_version: '9f2c41aa', run: { id: flowNamed('orders', lang).past.at(-1).id, started: iso(world.now - 3 * HOUR), mapping: '6b1d07c3' },
      }));
      return { id, found, dead_letters: world.letters.filter((letter) => letter.number === id || letter.key === id).map((letter) => letterFor(letter, lang)), pending: [] };
    }
    if (is('GET', 'flows', '*', 'pages', '*')) {
      const letter = world.letters.find((candidate) => candidate.page === Number(fourth));
      const records = [letter?.record, ...samples()].filter(Boolean);
      return { flow: name, page: Number(fourth), body: `{"success":true,"code":"0","total":371,"list":[${records.join(',')}]}`, records: records.length };
    }
    if (is('GET', 'flows', '*', 'mapping')) return mapping.view(name, lang, samples());
    if (is('POST', 'flows', '*', 'mapping', 'draft')) return mapping.view(name, lang, samples(), body.text);
    if (is('POST', 'flows', '*', 'mapping', 'edit')) return mapping.view(name, lang, samples(), mapping.edit(body.text, body.target, body.rule));
    if (is('POST', 'flows', '*', 'mapping', 'preview')) {
      const records = body.letters
        ? world.letters.filter((letter) => body.letters.includes(letter.id)).map((letter) => ({ letter: letter.id, key: letter.key, record: letter.record }))
        : world.delivered.slice(0, body.limit ?? 5).map((record) => ({ key: `${record.oid}0`, record: record.text }));
      return mapping.preview(body.text, records, lang);
    }
    if (is('PUT', 'flows', '*', 'mapping')) {
      const saved = mapping.save(body.text, body.revision);
      if (!saved) throw new Refusal(409, 'conflict', lang === 'zh' ? '文件在此期间被改动' : 'the file was changed meanwhile');
      note(session, 'mapping.save', name);
      emit({ type: 'reloaded', mistakes: [] });
      return saved;
    }
    const settings = () => ({
      revision: `r${alerts.revision}`, channels: alerts.channels, zone: alerts.zone, ...(alerts.quiet_hours ? { quiet_hours: alerts.quiet_hours } : {}),
      rules: alerts.rules.map(([id, en, zh, is_on, bound]) => ({ name: id, title: lang === 'zh' ? zh : en, is_on, ...(bound ? { bound } : {}) })),
    });
    if (is('GET', 'alerts')) return settings();
    if (is('PUT', 'alerts')) {
      if (body.revision !== `r${alerts.revision}`) throw new Refusal(409, 'conflict', lang === 'zh' ? 'milkrun.toml 在此期间被改动' : 'milkrun.toml was changed meanwhile');
      for (const change of body.rules ?? []) {
        const rule = alerts.rules.find(([id]) => id === change.name);
        if (change.bound !== undefined && change.bound !== null && !/^\d+(\.\d+)?(%|x|GB|MB|ms|s|m|h|d|w)?$/.test(change.bound)) {
          const refusal = new Refusal(422, 'config-invalid', lang === 'zh' ? `\`${change.name}\` 不是时长："${change.bound}"` : `\`${change.name}\` is not a span of time: "${change.bound}"`);
          refusal.problem.mistakes = [{ file: 'milkrun.toml', line: 41, column: 8, message: refusal.message, help: '"90s", "10m", "1h30m", "1d"', is_warning: false }];
          throw refusal;
        }
        rule[3] = change.is_on;
        if (change.bound) rule[4] = change.bound;
      }
      if (body.quiet_hours !== undefined && body.quiet_hours !== null) alerts.quiet_hours = body.quiet_hours;
      alerts.revision += 1;
      note(session, 'alerts.change');
      return { revision: `r${alerts.revision}` };
    }
    if (is('POST', 'alerts', 'channels', '*', 'test')) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      if (third === 'bus') throw new Refusal(502, 'unavailable', lang === 'zh' ? '暂时无法连接 hooks.example.com' : 'hooks.example.com cannot be reached for the moment', lang === 'zh' ? '检查网络和地址' : 'check the network and the address');
      return { status: 204 };
    }
    if (is('GET', 'incidents')) return incidents(lang).slice(0, Number(query.get('limit') ?? 100));
    if (is('GET', 'doctor')) {
      const say = (en, zh) => (lang === 'zh' ? zh : en);
      return [
        { what: 'state', health: 'good', finding: say('the state is sound: 2.15 GiB, 1,204,311 documents', '状态数据完好：2.15 GiB，1,204,311 张单据') },
        { what: 'clock', health: 'warning', finding: say('the clock is 42 s behind that of kuaimai-main', '时钟比 kuaimai-main 慢 42 秒'), advice: say('let the machine follow a time server: `timedatectl set-ntp true`', '请启用时间同步：`timedatectl set-ntp true`') },
        { what: 'disk', health: 'good', finding: say('38.4 GiB of 99.9 GiB are free', '共 99.9 GiB，剩余 38.4 GiB') },
        { what: 'account kuaimai-main', health: 'bad', finding: say('the session is dead and cannot be refreshed', '会话已失效，无法刷新'), advice: say('authorise the account again: `milkrun login kuaimai-main`', '请用 `milkrun login kuaimai-main` 重新授权') },
        { what: 'account jushuitan-shop', health: 'good', finding: say('answers in 182 ms', '182 毫秒内应答') },
        { what: 'flow suppliers', health: 'bad', finding: say('flows/suppliers.toml:4:11: account `tplus-hq` has no stream called `supliers`', 'flows/suppliers.toml:4:11：账户 `tplus-hq` 没有名为 `supliers` 的数据流'), advice: say('did you mean `suppliers`?', '您是否想写 `suppliers`？') },
      ];
    }
    if (is('GET', 'audit')) {
      if (session.role !== 'operator') throw new Refusal(403, 'forbidden', lang === 'zh' ? '仅限操作员' : 'operators only');
      const before = Number(query.get('before') ?? Infinity);
      return [...audit].reverse().filter((line) => line.id < before).slice(0, Number(query.get('limit') ?? 50));
    }
    throw new Refusal(404, 'not-found', `no route ${method} /${parts.join('/')}`);
  }

  const sessionOf = (request) => {
    const cookie = /milkrun_session=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
    if (cookie && sessions.has(cookie)) return sessions.get(cookie);
    return open ? { user: 'local', role: 'operator', csrf: 'open', can_sign_out: false } : undefined;
  };
  const json = (response, status, value, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...SECURITY, ...headers });
    response.end(value === undefined ? undefined : JSON.stringify(value));
  };
  const bodyOf = async (request) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    return text === '' ? {} : JSON.parse(text);
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const lang = url.searchParams.get('lang') ?? (/^zh/.test(request.headers['accept-language'] ?? '') ? 'zh' : 'en');
    try {
      if (!url.pathname.startsWith('/api/v1/')) {
        const isFile = url.pathname.split('/').pop().includes('.');
        const path = normalize(isFile ? url.pathname : '/index.html');
        const packed = await readFile(join(DIST, `${path}.gz`)).catch(() => undefined);
        if (!packed) {
          response.writeHead(404, SECURITY);
          response.end();
          return;
        }
        response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream', ...SECURITY });
        response.end(gunzipSync(packed));
        return;
      }
      const parts = url.pathname.slice('/api/v1/'.length).split('/').map(decodeURIComponent);
      if (parts[0] === 'session' && request.method === 'POST') {
        const { user, password } = await bodyOf(request);
        const role = { ops: 'operator', viewer: 'viewer' }[user ?? (password === 'token' ? 'ops' : '')];
        if (!role || (user && password !== user)) throw new Refusal(401, 'unauthorised', lang === 'zh' ? '用户名或密码不正确' : 'name or password is wrong');
        const id = Math.random().toString(36).slice(2);
        sessions.set(id, { user: user ?? 'token', role, csrf: `csrf-${id}`, can_sign_out: true });
        json(response, 200, sessions.get(id), { 'set-cookie': `milkrun_session=${id}; HttpOnly; SameSite=Strict; Path=/` });
        return;
      }
      const session = sessionOf(request);
      if (!session) throw new Refusal(401, 'unauthorised', lang === 'zh' ? '请先登录' : 'sign in first');
      if (parts[0] === 'session') {
        if (request.method === 'DELETE') {
          for (const [id, kept] of sessions) if (kept === session) sessions.delete(id);
          json(response, 204);
        } else json(response, 200, session);
        return;
      }
      if (parts[0] === 'events') {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', ...SECURITY });
        response.write(': here\n\n');
        streams.add(response);
        request.on('close', () => streams.delete(response));
        return;
      }
      let body;
      if (request.method !== 'GET') {
        body = await bodyOf(request);
        if (request.headers['x-csrf-token'] !== session.csrf) throw new Refusal(403, 'forbidden', 'the CSRF token is missing or wrong');
        if (session.role !== 'operator') throw new Refusal(403, 'forbidden', lang === 'zh' ? '仅限操作员' : 'operators only');
      }
      const answer = await route({ method: request.method, parts, query: url.searchParams, body, lang, session });
      if (answer && Object.keys(answer).length === 1 && 'status' in answer) json(response, answer.status);
      else json(response, 200, answer);
    } catch (error) {
      if (error instanceof Refusal) json(response, error.status, error.problem);
      else {
        console.error(error);
        json(response, 500, { kind: 'unexpected', message: String(error) });
      }
    }
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = () => {
    clearInterval(timer);
    for (const stream of streams) stream.end();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name) => (process.argv.includes(`--${name}`) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : undefined);
  const { url } = await serve({ port: Number(option('port') ?? 7788), open: process.argv.includes('--open'), now: option('now') });
  console.log(url);
}
