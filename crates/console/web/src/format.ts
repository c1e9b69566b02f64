// Instants, spans, counts and sizes as people read them. Instants are in Beijing time, as the command line shows them.

import type { Lang } from './i18n';

const ZONE_MS = 8 * 3_600_000;

/** The parts of an instant in Beijing. */
export interface BeijingTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  /** 0 is Sunday. */
  weekday: number;
}

/** An instant as a clock in Beijing shows it; China has had no summer time since 1991. */
export function beijing(at: string | number | Date): BeijingTime {
  const shifted = new Date(new Date(at).getTime() + ZONE_MS);
  return {
    year: shifted.getUTCFullYear(),
    month: shifted.getUTCMonth() + 1,
    day: shifted.getUTCDate(),
    hour: shifted.getUTCHours(),
    minute: shifted.getUTCMinutes(),
    second: shifted.getUTCSeconds(),
    weekday: shifted.getUTCDay(),
  };
}

/** The instant of a clock reading in Beijing; days and months may run over. */
export function fromBeijing(year: number, month: number, day: number, hour = 0, minute = 0): Date {
  return new Date(Date.UTC(year, month - 1, day, hour, minute) - ZONE_MS);
}

const two = (n: number): string => String(n).padStart(2, '0');

/** `2026-11-27 10:12:23`. */
export function dateTime(at: string | number | Date): string {
  const t = beijing(at);
  return `${t.year}-${two(t.month)}-${two(t.day)} ${two(t.hour)}:${two(t.minute)}:${two(t.second)}`;
}

/** `2026-11-27 10:12:23+08:00`, as the command line shows it. */
export function fullTime(at: string | number | Date): string {
  return `${dateTime(at)}+08:00`;
}

/** `2026-11-27`. */
export function date(at: string | number | Date): string {
  const t = beijing(at);
  return `${t.year}-${two(t.month)}-${two(t.day)}`;
}

/** `10:12`. */
export function clock(at: string | number | Date): string {
  const t = beijing(at);
  return `${two(t.hour)}:${two(t.minute)}`;
}

/** An instant as short as `now` allows: the clock alone on the same day, without the year in the same year. */
export function shortTime(at: string | number | Date, now: string | number | Date): string {
  const t = beijing(at);
  const n = beijing(now);
  if (t.year !== n.year) return `${date(at)} ${clock(at)}`;
  if (t.month !== n.month || t.day !== n.day) return `${two(t.month)}-${two(t.day)} ${clock(at)}`;
  return clock(at);
}

/** What an input of type `datetime-local` holds for an instant, in Beijing time. */
export function toInput(at: string | number | Date): string {
  const t = beijing(at);
  return `${t.year}-${two(t.month)}-${two(t.day)}T${two(t.hour)}:${two(t.minute)}`;
}

/** The instant of what an input of type `datetime-local` holds, taken as Beijing time. */
export function fromInput(value: string): Date | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})/.exec(value);
  if (match === null) return undefined;
  const [year, month, day, hour, minute] = match.slice(1).map(Number) as [number, number, number, number, number];
  return fromBeijing(year, month, day, hour, minute);
}

const UNITS = {
  en: { d: 'd', h: 'h', m: 'min', s: 's', ms: 'ms', gap: ' ' },
  zh: { d: '天', h: '小时', m: '分', s: '秒', ms: '毫秒', gap: ' ' },
} as const;

/** A span in its two largest units: `2 h 5 min`. */
export function span(seconds: number, lang: Lang): string {
  const u = UNITS[lang];
  const part = (n: number, unit: string): string => `${n}${u.gap}${unit}`;
  const total = Math.max(0, seconds);
  if (total < 1) return total === 0 ? part(0, u.s) : part(Math.round(total * 1000), u.ms);
  const s = Math.round(total);
  if (s < 60) return part(s, u.s);
  const [days, hours, minutes] = [Math.floor(s / 86_400), Math.floor(s / 3_600) % 24, Math.floor(s / 60) % 60];
  if (days > 0) return hours > 0 && days < 10 ? `${part(days, u.d)} ${part(hours, u.h)}` : part(days, u.d);
  if (hours > 0) return minutes > 0 ? `${part(hours, u.h)} ${part(minutes, u.m)}` : part(hours, u.h);
  return s % 60 > 0 && minutes < 10 ? `${part(minutes, u.m)} ${part(s % 60, u.s)}` : part(minutes, u.m);
}

/** The span between two instants. */
export function between(from: string | number | Date, until: string | number | Date, lang: Lang): string {
  return span((new Date(until).getTime() - new Date(from).getTime()) / 1000, lang);
}

const LARGEST: readonly [limit: number, size: number, unit: 'd' | 'h' | 'm' | 's'][] = [
  [60, 1, 's'],
  [3_600, 60, 'm'],
  [86_400 * 2, 3_600, 'h'],
  [Infinity, 86_400, 'd'],
];

/** How far an instant is from now: `5 min ago`, `in 2 h`. */
export function relative(at: string | number | Date, now: string | number | Date, lang: Lang): string {
  const seconds = (new Date(at).getTime() - new Date(now).getTime()) / 1000;
  const far = Math.abs(seconds);
  if (far < 5) return lang === 'zh' ? '刚刚' : 'now';
  const [, size, unit] = LARGEST.find(([limit]) => far < limit) ?? [0, 86_400, 'd' as const];
  const text = `${Math.floor(far / size)} ${UNITS[lang][unit]}`;
  if (lang === 'zh') {
    const long = unit === 'm' ? `${Math.floor(far / size)} 分钟` : text;
    return seconds < 0 ? `${long}前` : `${long}后`;
  }
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}

/** A count with its thousands apart. */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** A size in bytes. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = n;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** A part of a whole in percent, without a fraction; the whole may be 0. */
export function percent(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(100, Math.max(0, Math.round((part / whole) * 100)));
}

/** How long a limit counts: `second`, `minute`, `5 min`. */
export function period(seconds: number, lang: Lang): string {
  const names: Record<number, [string, string]> = {
    1: ['second', '秒'],
    60: ['minute', '分钟'],
    3600: ['hour', '小时'],
    86400: ['day', '天'],
  };
  const name = names[seconds];
  if (name) return lang === 'zh' ? name[1] : name[0];
  if (seconds >= 28 * 86_400 && seconds <= 31 * 86_400) return lang === 'zh' ? '月' : 'month';
  return span(seconds, lang);
}
