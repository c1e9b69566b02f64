// Icons, drawn with the colour of the text. They say nothing to a screen reader: words stand beside them.

const PATHS = {
  check: 'M4 10.5l4 4 8-9',
  cross: 'M5 5l10 10M15 5L5 15',
  partial: 'M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14',
  unequal: 'M4 7.5h12M4 12.5h12M13.5 3.5l-7 13',
  dots: 'M4.5 10h.01M10 10h.01M15.5 10h.01',
  stop: 'M6 6h8v8H6z',
  clock: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 6v4l3 2',
  warning: 'M10 3L2.5 16.5h15zM10 8v4M10 14.3v.01',
  info: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 9.2v4.3M10 6.5v.01',
  search: 'M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4zM12.7 12.7L17 17',
  menu: 'M3 6h14M3 10h14M3 14h14',
  home: 'M3.5 9.5L10 4l6.5 5.5V16h-4v-4h-5v4h-4z',
  calendar: 'M4 5h12v11H4zM4 8.5h12M7 3v3M13 3v3',
  key: 'M7.5 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 10l6-6M13.5 6.5L16 9',
  bell: 'M5 14V9a5 5 0 0 1 10 0v5l1 1H4zM8.5 17h3',
  pulse: 'M2.5 10.5h3.5l2-5 3.5 9 2.2-4h3.8',
  list: 'M7 5.5h10M7 10h10M7 14.5h10M3.5 5.5h.01M3.5 10h.01M3.5 14.5h.01',
  sun: 'M10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM10 2.5v1.5M10 16v1.5M2.5 10H4M16 10h1.5M4.7 4.7l1 1M14.3 14.3l1 1M4.7 15.3l1-1M14.3 5.7l1-1',
  moon: 'M16 11.8A6.5 6.5 0 0 1 8.2 4a6.5 6.5 0 1 0 7.8 7.8z',
  screen: 'M3 4.5h14v9H3zM7.5 16.5h5M10 13.5v3',
  play: 'M6.5 4.5v11l9-5.5z',
  back: 'M12 4.5L6.5 10l5.5 5.5',
  forward: 'M8 4.5l5.5 5.5L8 15.5',
  down: 'M4.5 8L10 13.5 15.5 8',
  letter: 'M3 5h14v10H3zM3 6l7 5 7-5',
  route: 'M5 5.5h.01M5 3.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM15 12.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM7 5.5h5a2.25 2.25 0 0 1 0 4.5H8a2.25 2.25 0 0 0 0 4.5h5',
  history: 'M4 6.5A7 7 0 1 1 3 10M3.5 3.5v3.3h3.3M10 6.5V10l2.5 1.5',
  out: 'M8 4H4v12h4M8.5 10H17M14 7l3 3-3 3',
  edit: 'M4 16l.8-3.2L13 4.6l2.4 2.4-8.2 8.2zM11.5 6.1l2.4 2.4',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  plus: 'M10 4v12M4 10h12',
} as const;

/** The name of an icon. */
export type IconName = keyof typeof PATHS;

/** An icon of the size of the text. */
export function Icon({ name, className }: { name: IconName; className?: string | undefined }) {
  return (
    <svg
      className={`icon ${className ?? ''}`}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'dots' || name === 'list' ? 2 : 1.7}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
