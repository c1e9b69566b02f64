// The texts of the calendar.

import { count } from '../../format';
import { texts } from '../../i18n';

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

export const calendarTexts = texts(
  {
    title: 'Calendar',
    view: 'View',
    month: 'Month',
    week: 'Week',
    day: 'Day',
    before: 'Earlier',
    after: 'Later',
    today: 'Today',
    monthName: (year: number, month: number) => `${MONTHS[month - 1]} ${year}`,
    weekday: (day: number) => DAYS[day] ?? '',
    dayTitle: (date: string, weekday: number) => `${DAYS[weekday]} ${date}`,
    span: (from: string, until: string) => `${from} – ${until}`,
    nothing: 'Nothing in this time',
    nothingHelp: 'No run began in it, and none is planned.',
    hours: 'Each strip is a day from 00:00 to 24:00, one field an hour, in the colour of the worst run that began in it.',
    legend: 'Colours',
    runsOn: (what: string) => `Runs: ${what}`,
    none: 'no run',
    needYou: 'Only what did not reconcile',
    allFlows: 'all flows',
    list: 'Runs of the day',
    listHint: 'What did not reconcile comes first, what is still to come last.',
    at: 'Begins',
    moreRuns: (n: number) => `Show the other ${count(n)}`,
    timeline: (flow: string, what: string) => `${flow}: ${what}`,
  },
  {
    title: '日历',
    view: '视图',
    month: '月',
    week: '周',
    day: '日',
    before: '更早',
    after: '更晚',
    today: '今天',
    monthName: (year, month) => `${year} 年 ${month} 月`,
    weekday: (day) => ['日', '一', '二', '三', '四', '五', '六'][day] ?? '',
    dayTitle: (date, weekday) => `${date} 周${['日', '一', '二', '三', '四', '五', '六'][weekday]}`,
    span: (from, until) => `${from} 至 ${until}`,
    nothing: '这段时间没有内容',
    nothingHelp: '没有开始过的运行，也没有计划中的运行。',
    hours: '每条表示一天 00:00 至 24:00，一格一小时，颜色取该小时内开始的最差的运行。',
    legend: '颜色',
    runsOn: (what) => `运行：${what}`,
    none: '没有运行',
    needYou: '只看未对平的',
    allFlows: '全部流程',
    list: '当天的运行',
    listHint: '未对平的在前，待运行的在后。',
    at: '开始',
    moreRuns: (n) => `显示其余 ${count(n)} 个`,
    timeline: (flow, what) => `${flow}：${what}`,
  },
);
