import { Loading, Page } from '../ui';

export default function AuditPage() {
  return <Page title={"audit"}><Loading /></Page>;
}
