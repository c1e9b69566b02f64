import { Loading, Page } from '../ui';

export default function DoctorPage() {
  return <Page title={"doctor"}><Loading /></Page>;
}
