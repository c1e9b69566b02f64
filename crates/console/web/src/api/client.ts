// One way to the server: JSON over `fetch`, problems as errors, the language and the CSRF token added.

import { currentLang } from '../i18n/lang';
import type {
  Account, AlertSettings, AlertSettingsChange, ArrivedAs, Audit, Backfill, CalendarEntry, DeadLetterPage,
  DeadLetterQuery, Diagnosis, Flow, Incident, MappingDraft, MappingEdit, MappingPreview, MappingPreviewRequest,
  MappingView, Overview, Problem, RawPage, Replay, Run, RunPage, Saved, Session, SignIn, Trace,
} from './types';

/** What the server, or the way to it, refused. */
export class ApiError extends Error {
  /** The HTTP status; 0 if no answer came. */
  readonly status: number;
  /** What the server says of it; without a body, only its kind. */
  readonly problem: Problem;

  constructor(status: number, problem: Problem) {
    super(problem.message);
    this.name = 'ApiError';
    this.status = status;
    this.problem = problem;
  }
}

/** Where the API is. */
export const API_ROOT = '/api/v1';

type Query = Record<string, string | number | undefined>;

let csrf = '';
let onSignedOut: () => void = () => {};

/** Keeps what every changing request has to carry. */
export function setCsrf(token: string): void {
  csrf = token;
}

/** Is called when the server no longer knows who asks. */
export function whenSignedOut(then: () => void): void {
  onSignedOut = then;
}

/** An address below the API: each part is escaped, parameters without a value are left out. */
export function address(parts: readonly (string | number)[], query: Query = {}): string {
  const path = [API_ROOT, ...parts.map((part) => encodeURIComponent(String(part)))].join('/');
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Whether something is a problem as the server writes them. */
function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string';
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const value: unknown = JSON.parse(text);
    if (isProblem(value)) return { ...value, kind: value.kind ?? 'unexpected' };
  } catch {
    // Not JSON: a proxy's page, or nothing. The status has to say it.
  }
  return { kind: 'http', message: `HTTP ${response.status}` };
}

async function call<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = {
    accept: 'application/json',
    'accept-language': currentLang() === 'zh' ? 'zh-CN' : 'en',
  };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET') headers['x-csrf-token'] = csrf;
  const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (signal) init.signal = signal;
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, { kind: 'offline', message: 'no answer' });
  }
  if (!response.ok) {
    const error = new ApiError(response.status, await problemOf(response));
    if (response.status === 401 && !url.startsWith(`${API_ROOT}/session`)) onSignedOut();
    throw error;
  }
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

const get = <T>(signal: AbortSignal | undefined, parts: (string | number)[], query?: Query): Promise<T> =>
  call<T>('GET', address(parts, query), undefined, signal);
const post = <T = void>(parts: (string | number)[], body: unknown = {}): Promise<T> =>
  call<T>('POST', address(parts), body);
const put = <T>(parts: (string | number)[], body: unknown): Promise<T> => call<T>('PUT', address(parts), body);

/** Every route, by what it is for. Those that read take a signal that gives them up. */
export const api = {
  session: (signal?: AbortSignal) => get<Session>(signal, ['session']),
  signIn: (body: SignIn) => post<Session>(['session'], body),
  signOut: () => call<void>('DELETE', address(['session'])),

  overview: (signal?: AbortSignal) => get<Overview>(signal, ['overview']),
  account: (account: string, signal?: AbortSignal) => get<Account>(signal, ['accounts', account]),
  flow: (flow: string, signal?: AbortSignal) => get<Flow>(signal, ['flows', flow]),
  start: (flow: string) => post(['flows', flow, 'run']),
  cancel: (flow: string) => post(['flows', flow, 'cancel']),
  backfill: (flow: string, body: Backfill) => post(['flows', flow, 'backfill'], body),
  runs: (flow: string, query: { before?: number | undefined; limit?: number } = {}, signal?: AbortSignal) =>
    get<RunPage>(signal, ['flows', flow, 'runs'], query),
  run: (flow: string, run: number, signal?: AbortSignal) => get<Run>(signal, ['flows', flow, 'runs', run]),
  calendar: (from: string, until: string, signal?: AbortSignal) =>
    get<CalendarEntry[]>(signal, ['calendar'], { from, until }),

  deadLetters: (flow: string, query: DeadLetterQuery = {}, signal?: AbortSignal) =>
    get<DeadLetterPage>(signal, ['flows', flow, 'dead-letters'], { ...query }),
  replay: (flow: string, body: Replay) => post(['flows', flow, 'dead-letters', 'replay'], body),
  arrived: (flow: string, letter: number, body: ArrivedAs) =>
    post(['flows', flow, 'dead-letters', letter, 'arrived'], body),
  trace: (id: string, flow?: string, signal?: AbortSignal) => get<Trace>(signal, ['trace'], { id, flow }),
  rawPage: (flow: string, page: number, signal?: AbortSignal) => get<RawPage>(signal, ['flows', flow, 'pages', page]),

  mapping: (flow: string, signal?: AbortSignal) => get<MappingView>(signal, ['flows', flow, 'mapping']),
  draft: (flow: string, body: MappingDraft) => post<MappingView>(['flows', flow, 'mapping', 'draft'], body),
  editMapping: (flow: string, body: MappingEdit) => post<MappingView>(['flows', flow, 'mapping', 'edit'], body),
  previewMapping: (flow: string, body: MappingPreviewRequest) =>
    post<MappingPreview>(['flows', flow, 'mapping', 'preview'], body),
  saveMapping: (flow: string, body: MappingDraft) => put<Saved>(['flows', flow, 'mapping'], body),

  alerts: (signal?: AbortSignal) => get<AlertSettings>(signal, ['alerts']),
  changeAlerts: (body: AlertSettingsChange) => put<Saved>(['alerts'], body),
  testChannel: (channel: string) => post(['alerts', 'channels', channel, 'test']),
  incidents: (limit?: number, signal?: AbortSignal) => get<Incident[]>(signal, ['incidents'], { limit }),
  doctor: (signal?: AbortSignal) => get<Diagnosis[]>(signal, ['doctor']),
  audit: (query: { before?: number | undefined; limit?: number } = {}, signal?: AbortSignal) =>
    get<Audit[]>(signal, ['audit'], query),
};
