import { Loading, Page } from '../../ui';

export default function AlertsPage() {
  return <Page title={"alerts"}><Loading /></Page>;
}
