//! What is said about incidents, in both languages: one table of titles and one of advice.

use crate::words::Phrase;

macro_rules! phrases {
    ($($(#[$about:meta])* $name:ident: $en:literal, $zh:literal;)*) => {
        $($(#[$about])* pub(crate) const $name: Phrase = Phrase { en: $en, zh: $zh };)*
        /// All of them, by name.
        #[cfg(test)]
        const ALL: &[(&str, Phrase)] = &[$((stringify!($name), $name)),*];
    };
}

phrases! {
    // What happened.
    RUN_FAILED: "Flow {flow}: the last run failed", "流程 {flow}：最近一次运行失败";
    RUNS_FAILED: "Flow {flow}: the last {n:run|runs} failed", "流程 {flow}：最近 {n} 次运行均失败";
    RUN_UNSTEADY: "Flow {flow}: runs fail again and again", "流程 {flow}：运行反复失败";
    UNRECONCILED: "Flow {flow}: it is not proved that everything was read; open slices: {n}", "流程 {flow}：未能证明数据已全部读取，未关闭切片 {n} 个";
    UNDELIVERED: "Flow {flow}: documents wait in the outbox", "流程 {flow}：有单据滞留在待投递队列";
    UNPROVED_UNSTEADY: "Flow {flow}: runs end without proof again and again", "流程 {flow}：运行反复未能证明完整";
    DEAD_LETTERS: "Flow {flow}: {n:record was refused and is a dead letter|records were refused and are dead letters}", "流程 {flow}：{n} 条记录被拒绝，成为死信";
    LAG: "Flow {flow} is behind: it has read up to {at}", "流程 {flow} 落后：只读取到 {at}";
    NO_RECORDS: "Flow {flow}: no new records since {at}, though it usually finds some within {usual}", "流程 {flow}：自 {at} 起没有新记录，而平时最多间隔 {usual}";
    NO_RECORDS_FOR: "Flow {flow}: no new records since {at}", "流程 {flow}：自 {at} 起没有新记录";
    TOKEN_EXPIRES: "Account {account}: its access ends at {at}", "账户 {account}：授权将于 {at} 到期";
    TOKEN_EXPIRED: "Account {account}: its access ended at {at}", "账户 {account}：授权已于 {at} 到期";
    TOKEN_REFUSED: "Account {account}: the vendor refuses its token", "账户 {account}：厂商拒绝其令牌";
    QUOTA_LOW: "Account {account}: calls left in {per}: {left} of {calls}", "账户 {account}：每 {per} 可调用 {calls} 次，仅剩 {left} 次";
    DISK_LOW: "The disk of the state has only {free} left of {total}", "状态所在磁盘仅剩 {free}，共 {total}";
    CHANNEL_FAILED: "Channel {channel} does not take messages", "通道 {channel} 无法发送消息";

    // Why, added to what happened.
    WITH_REASON: "{what}: {reason}", "{what}：{reason}";

    // What to do.
    FIX_RUN_FAILED: "read what the run says: milkrun status, or the run's page in the console; mend it; the next run goes on where this one ended, and nothing is lost", "查看运行说明：milkrun status 或控制台的运行页面；修复后，下次运行会从中断处继续，不会丢失数据";
    FIX_UNRECONCILED: "look at the open slices in the console; the next run reads them again; if it repeats, the vendor's data keeps changing while it is read: run at a quieter hour, or raise `settle`", "在控制台查看未关闭切片，下次运行会重新读取；若反复出现，说明读取期间厂商数据一直在变：请改在空闲时段运行，或增大 `settle`";
    FIX_UNDELIVERED: "see whether the target is up and takes documents; the next run sends what waits", "请检查目标系统是否正常接收单据；下次运行会发送滞留的单据";
    FIX_DEAD_LETTERS: "read why: milkrun dead-letters {flow}; mend the mapping or the target, then milkrun replay {flow}", "查看原因：milkrun dead-letters {flow}；修正映射或目标系统后，执行 milkrun replay {flow}";
    FIX_LAG: "see whether its runs end and how long they take: milkrun status; if they are only slow, give the flow more of the quota or a shorter window", "查看运行是否正常结束及耗时：milkrun status；如只是较慢，请增加调用限额或缩短时间窗口";
    FIX_NO_RECORDS: "look at the vendor whether there are new documents; if there are, compare the account's permissions and shops, and run milkrun preview {flow}", "请在厂商系统中查看是否有新单据；如有，请核对账户的权限与店铺，并执行 milkrun preview {flow}";
    FIX_TOKEN_EXPIRES: "renew the access at the vendor before then: milkrun login {account}, or put the new session or token into the vault", "请在到期前到厂商处续期：milkrun login {account}，或将新的会话或令牌存入保险库";
    FIX_TOKEN_REFUSED: "grant access anew: milkrun login {account}, or put the new session or token into the vault; then milkrun check", "请重新授权：milkrun login {account}，或将新的会话或令牌存入保险库，然后执行 milkrun check";
    FIX_QUOTA_LOW: "run flows of this account less often, or buy more calls at the vendor; Milkrun waits rather than exceed the limit", "请降低该账户各流程的运行频率，或向厂商增购调用次数；Milkrun 会等待，不会超限";
    FIX_DISK_LOW: "free some space, or keep less: [retention] in milkrun.toml; a full disk stops every run, and nothing committed is lost", "请释放空间，或在 milkrun.toml 的 [retention] 中缩短保留；磁盘写满会使所有运行停止，但已提交的数据不会丢失";
    FIX_CHANNEL_FAILED: "mend its settings in milkrun.toml, then milkrun alerts test {channel}; what it was to say is kept and sent then", "请修正 milkrun.toml 中的设置，然后执行 milkrun alerts test {channel}；未发出的消息会保留并补发";

    // The parts of a message.
    BEGAN: "Alert", "告警";
    REMINDER: "Still open", "仍未恢复";
    ENDED: "Recovered", "已恢复";
    PASSED: "Was wrong, and is well again", "曾发生，现已恢复";
    DIGEST: "{n:message|messages}", "{n} 条消息";
    TEST: "Test message", "测试消息";
    TEST_WHAT: "This channel works: alerts of this installation arrive here.", "该通道工作正常：本系统的告警会发送到这里。";
    SINCE: "Since", "开始时间";
    UNTIL: "Until", "恢复时间";
    LASTED: "{from} ({length})", "{from}（已持续 {length}）";
    LASTED_UNTIL: "{until} (after {length})", "{until}（历时 {length}）";
    DOCUMENTS: "Documents", "涉及单据";
    TO_DO: "What to do", "处理方法";
    MORE: "and {n} more: milkrun alerts list", "另有 {n} 条：milkrun alerts list";
    COLON: ": ", "：";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holes(text: &str) -> Vec<&str> {
        let inside = text.split('{').skip(1).map(|part| part.split_once('}').unwrap().0);
        let mut holes: Vec<_> = inside.map(|hole| hole.split(':').next().unwrap()).collect();
        holes.sort_unstable();
        holes.dedup();
        holes
    }

    #[test]
    fn both_languages_have_the_same_holes() {
        for (name, phrase) in ALL {
            assert_eq!(holes(phrase.en), holes(phrase.zh), "{name}");
            let is_chinese = phrase.zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(is_chinese || holes(phrase.zh).len() > 1 || *name == "COLON", "{name}");
        }
    }
}
