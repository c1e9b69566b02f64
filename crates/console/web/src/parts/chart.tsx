// A chart of one figure over runs: a bar for each run, coloured by its verdict.

import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useIsDark } from '../theme';
import type { Tone } from '../ui';

/** One bar. */
export interface ChartBar {
  /** What stands below it. */
  label: string;
  value: number;
  tone: Tone;
}

const HEIGHT = 170;

/** The bars, oldest first. `format` writes the values of the axis; `label` says what there is to see. */
export function BarChart({ bars, format, label }: {
  bars: readonly ChartBar[]; format: (value: number) => string; label: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const isDark = useIsDark();
  const latest = useRef(format);
  latest.current = format;

  useEffect(() => {
    const element = box.current;
    if (element === null || bars.length === 0) return undefined;
    const style = getComputedStyle(element);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const fills = bars.map((bar) => colour(`--${bar.tone}-fill`));
    const axis: uPlot.Axis = {
      stroke: colour('--muted'),
      font: `12px ${style.fontFamily}`,
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const paths = uPlot.paths.bars?.({
      size: [0.75, 24, 2],
      gap: 1,
      radius: 0.15,
      disp: { fill: { unit: 3, values: () => fills } },
    });
    const series: uPlot.Series = { fill: fills[0] ?? '', width: 0, points: { show: false } };
    if (paths) series.paths = paths;
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        padding: [6, 12, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false, range: [-0.6, bars.length - 0.4] }, y: { range: (_, __, most) => [0, Math.max(most, 1) * 1.05] } },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 90,
            size: 28,
            incrs: [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100],
            values: (_, splits) => splits.map((at) => bars[at]?.label ?? ''),
          },
          { ...axis, size: 64, space: 36, values: (_, splits) => splits.map((value) => latest.current(value)) },
        ],
        series: [{}, series],
      },
      [bars.map((_, index) => index), bars.map((bar) => bar.value)],
      element,
    );
    const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [bars, isDark]);

  return <div className="chart" role="img" aria-label={label} ref={box} />;
}
