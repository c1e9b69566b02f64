import { Loading, Page } from '../../ui';

export default function CalendarPage() {
  return <Page title={"calendar"}><Loading /></Page>;
}
