//! How the pages say things, in both languages.

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lang {
    En,
    Zh,
}

impl Lang {
    /// As `--lang` and titles call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The file of a page: `NAME.md` and `NAME.zh.md`.
    pub(super) fn file(self, name: &str) -> String {
        match self {
            Self::En => format!("{name}.md"),
            Self::Zh => format!("{name}.zh.md"),
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::En => Self::Zh,
            Self::Zh => Self::En,
        }
    }

    pub(super) fn say(self, text: Text) -> &'static str {
        match self {
            Self::En => text.0,
            Self::Zh => text.1,
        }
    }

    /// A text with its places, such as `{path}`, filled in the order of the language.
    pub(super) fn fill(self, text: Text, values: &[(&str, &str)]) -> String {
        let mut filled = String::new();
        let mut rest = self.say(text);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').expect("every place is closed");
            let value = values.iter().find(|(known, _)| *known == name);
            filled.push_str(before);
            filled.push_str(value.unwrap_or_else(|| panic!("`{name}` of {text:?} is not filled")).1);
            rest = after;
        }
        filled + rest
    }
}

/// A text in English and in Chinese; `{name}` is a place to fill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text(&'static str, &'static str);

macro_rules! texts {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        $(pub(super) const $name: Text = Text($en, $zh);)*
        #[cfg(test)]
        const ALL: &[Text] = &[$($name),*];
    };
}

texts! {
    LANGUAGE: "English", "中文";
    FACT: "- {name}: {what}", "- {name}：{what}";
    SENTENCE: "{text}.", "{text}。";
    AND: " and ", "，";
    OR: " or ", "、";
    COMMA: ", ", "、";
    COLON: ": ", "：";
    BLANK: " ", "";
    NONE: "none", "无";

    // The index.
    CONNECTORS: "Connectors", "连接器";
    INDEX_HEAD: "connector | vendor | streams | targets", "连接器 | 厂商 | 数据流 | 目标";
    AS_DECLARED: "as the account declares them", "由账户声明";

    // The account, its settings and its quota.
    ACCOUNT: "An account", "账户";
    SETTINGS: "Settings", "设置";
    SETTINGS_HEAD: "setting | value | default | what it is", "设置 | 值 | 默认值 | 说明";
    REQUIRED: "required", "必填";
    QUOTA: "Quota", "限额";
    QUOTA_SHARED: "{limits}, for all flows of an account together.", "{limits}；由同一账户的所有流程共用。";
    QUOTA_BESIDES: "- `{endpoint}` besides: {limits}", "- `{endpoint}` 另有：{limits}";
    CALLS: "{calls} calls in any {per}", "任意 {per}内 {calls} 次调用";
    NO_LIMIT: "No limit", "不限次数";
    AT_ONCE: "{rates}; at most {n} at one time", "{rates}；同时最多 {n} 次";

    // Streams.
    STREAMS: "Streams", "数据流";
    STREAMS_HEAD: "stream | what | key | window over | longest window | page | proof", "数据流 | 内容 | 主键 | 窗口依据 | 最长窗口 | 每页 | 证明方式";
    DECLARED: "The account's settings declare them.", "由账户的设置声明。";
    READ_WHOLE: "read whole", "整体读取";
    ENDPOINT: "Endpoint", "接口";
    KEY: "Key", "主键";
    NUMBER: "Number people know it by", "人们所用的单号";
    VERSION: "Version", "版本";
    VERSION_IS: "{field}, {form}{none}", "{field}，{form}{none}";
    VERSION_NONE: "; `{none}` means none", "；`{none}` 表示无";
    WINDOW: "Window", "窗口";
    WINDOW_IS: "over {axis}, sent as {form} in {zone}, in steps of {step}, upper end {end}, {longest} at most; ends {settle} ago, and reaches back {lookback} before the last one",
        "按 {axis}，以 {zone} 的 {form} 发送，精度 {step}，{end}上界，最长 {longest}；截止到 {settle}之前，并从上一窗口的终点回看 {lookback}";
    INCLUSIVE: "inclusive", "包含";
    EXCLUSIVE: "exclusive", "不含";
    LATE: "Late pass", "补查";
    LATE_IS: "over {axis}, every {every}, {reach} back", "按 {axis}，每 {every}一次，回溯 {reach}";
    PARTITION: "Read once for each", "逐一读取";
    PARTITION_IS: "{path} of {stream}, sent as {parameter}", "{stream} 的每个 {path} 读取一次，以 {parameter} 发送";
    PAGES: "Pages", "分页";
    PAGES_ARE: "{paging}, {size} records", "{paging}，每页 {size} 条记录";
    PROOF: "Proof", "证明方式";
    RESTS_ON: "{plan}; rests on this: {assumes}", "{plan}；前提：{assumes}";
    EMPTY: "Empty answer", "空应答";
    EMPTY_IS: "may leave out its list", "可能不带列表";
    FEN: "In fen (hundredths of a yuan)", "以分为单位";
    YUAN: "In yuan", "以元为单位";
    EPOCH_MS: "In milliseconds since 1970 (`946656000000` means none)", "自 1970 年起的毫秒数（`946656000000` 表示无）";
    MIND: "Mind", "注意";

    // Paging.
    BY_NUMBER: "by number in {parameter} from {first}{end}", "按 {parameter} 中的页码，从 {first} 开始{end}";
    BY_OFFSET: "by records to skip in {parameter}{end}", "按 {parameter} 中要跳过的记录数{end}";
    BY_CURSOR: "by cursor in {parameter}", "按 {parameter} 中的游标";
    BY_VERSION: "by row version {field} in {parameter}, inclusive", "按 {parameter} 中的行版本 {field}，含该版本";
    BY_LINK: "by link", "按链接";
    ALL_IN_ONE: "all in one answer", "全部在一次应答中";
    SHORT_PAGE: ", the last one is short", "，最后一页不满";
    EMPTY_PAGE: ", the last one is empty", "，最后一页为空";
    HAS_NEXT: ", the vendor says whether more follows", "，由厂商说明后面是否还有";
    PAGE_SIZE: "{min}–{max}, usually {usual}", "{min}–{max}，通常 {usual}";

    // Targets.
    TARGETS: "Targets", "目标";
    REPETITION: "Repetition", "重复发送";
    PROMISE: "{promise} ({how})", "{promise}（{how}）";
    CHANGES: "Changes", "变更";
    ONLY_NEW: "none: a record that changes after its delivery becomes a dead letter", "不支持：投递后又有变更的记录成为死信";
    BATCH: "Documents per call", "每次调用的单据数";
    BY_KEY: "a key of up to {n} characters in {field}, remembered {span}", "{field} 中的键，最多 {n} 个字符，{span}";
    FOR_EVER: "for ever", "永久记住";
    FOR_SPAN: "for {span}", "记住 {span}";
    UNIQUE: "{field} is unique", "{field} 唯一";
    SKIP: "a known {field} is skipped", "已知的 {field} 被跳过";
    UPSERT: "the same {field} replaces the document", "{field} 相同则替换单据";
    COMMITTED: "the written length is part of the checkpoint", "已写入的长度是检查点的一部分";
    NO_PROMISE: "no promise", "没有承诺";

    // What a setting's value is.
    SECRET: "secret", "密钥";
    ANY: "any", "任意";
    WHOLE_NUMBER: "whole number", "整数";
    NUMBER_KIND: "number", "数";
    TRUE_OR_FALSE: "`true` or `false`", "`true` 或 `false`";
    TEXT: "text", "文本";
    TABLE: "table", "表";
    LIST: "list", "列表";
    TABLE_OF: "table of: {kind}", "表，值为{kind}";
    LIST_OF: "list of: {kind}", "{kind}的列表";

    // Spans of time.
    MILLISECONDS: "{n} ms", "{n} 毫秒";
    DAY: "1 day", "1 天";
    DAYS: "{n} days", "{n} 天";
    HOUR: "1 hour", "1 小时";
    HOURS: "{n} hours", "{n} 小时";
    MINUTE: "1 minute", "1 分钟";
    MINUTES: "{n} minutes", "{n} 分钟";
    SECOND: "1 second", "1 秒";
    SECONDS: "{n} seconds", "{n} 秒";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_places() {
        let places = |text: &'static str| {
            let names = text.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0);
            names.collect::<std::collections::BTreeSet<_>>()
        };
        for text in ALL {
            assert_eq!(places(text.0), places(text.1), "{text:?}");
        }
        assert_eq!(Lang::Zh.fill(CALLS, &[("calls", "5"), ("per", "1 秒")]), "任意 1 秒内 5 次调用");
    }
}
