//! The catalogue: every sentence of the command line, English first, then Chinese.

use super::Text;

macro_rules! texts {
    ($($(#[$about:meta])* $name:ident: $en:literal, $zh:literal;)*) => {
        $($(#[$about])* pub(crate) const $name: Text = Text { en: $en, zh: $zh };)*
        /// All of them, by name.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, Text)] = &[$((stringify!($name), $name)),*];
    };
}

texts! {
    // Words of every message.
    ERROR: "error", "错误";
    WARNING: "warning", "警告";
    HELP: "help", "建议";
    CAUSE: "  cause: {cause}", "  原因：{cause}";
    WHAT_TO_DO: "  what to do: {help}", "  处理方法：{help}";
    WITH_FACTS: "{message} ({facts})", "{message}（{facts}）";
    DID_YOU_MEAN: "did you mean `{name}`?", "您是否想写 `{name}`？";
    KNOWN_ARE: "known: {names}", "可选：{names}";
    NONE_IS_KNOWN: "none is known", "目前没有可选项";
    N_MISTAKES: "mistakes: {n}; nothing was run", "共 {n} 处错误，未执行任何操作";

    NOTHING_TO_DECLARE_HELP: "remove `[{part}.declare]`: what the connector has to know of it stands among the account's own settings", "删除 `[{part}.declare]`：连接器所需的内容写在账户自身的设置中";
    DECLARED_DIFFERENTLY: "flow `{flow}` declares `{name}` for account `{account}` too, and differently", "流程 `{flow}` 也为账户 `{account}` 声明了 `{name}`，且内容不同";
    DECLARED_DIFFERENTLY_HELP: "one name of an account is one thing: give this one another name (`{key}` in `[{part}]`), or declare the same in both", "同一账户下一个名称只代表一项内容：请在 `[{part}]` 的 `{key}` 中改用另一个名称，或让两处声明一致";
    NOTHING_TO_DECLARE: "connector `{connector}` takes no `{list}` of one's own", "连接器 `{connector}` 不支持自定义 `{list}`";
    // Tables.
    BAD_TABLE: "the table `{name}` needs one of `values`, `file` and `flow`", "表 `{name}` 需要 `values`、`file`、`flow` 三者之一";
    TABLE_FORM: "write values = { S1 = \"0518\" }, file = \"codes.csv\", or flow = \"vendors\"", "请写 values = { S1 = \"0518\" }、file = \"codes.csv\" 或 flow = \"vendors\"";
    BAD_TABLE_VALUE: "the value of `{key}` is no text, whole number, true or false", "`{key}` 的值不是文本、整数或布尔值";
    TABLE_VALUE_FORM: "write decimals and dates as text, in quotes", "小数和日期请写成带引号的文本";
    TABLE_UNREADABLE: "the table `{name}` cannot be used: {cause}", "无法使用表 `{name}`：{cause}";

    // Alerts.
    ALERT_RULES: "`[alerts.rules]` of milkrun.toml", "milkrun.toml 的 `[alerts.rules]`";
    NO_BOUND: "`{key}` cannot be `{value}`", "`{key}` 不能是 `{value}`";
    BOUND_FORM: "write true, false, or a bound such as {examples}", "请写 true、false，或 {examples} 这样的界限";
    NO_QUIET_HOURS: "`{value}` are no quiet hours", "`{value}` 不是免打扰时段";
    QUIET_HOURS_FORM: "write quiet_hours = \"22:00-08:00\"", "请写 quiet_hours = \"22:00-08:00\"";
    REMIND_TOO_SHORT: "a reminder sooner than after ten minutes helps nobody", "十分钟以内再次提醒没有意义";
    REMIND_FORM: "write remind = \"24h\"", "请写 remind = \"24h\"";
    NO_ALERT_ZONE: "no time zone is called `{value}`", "没有名为 `{value}` 的时区";
    ALERT_ZONE_FORM: "write a name of the IANA database, such as \"Asia/Shanghai\"", "请写 IANA 时区名，如 \"Asia/Shanghai\"";
    BAD_CHANNEL_NAME: "`{name}` cannot be the name of a channel", "`{name}` 不能作通道名";
    CHANNEL_SECRET_MISSING: "channel `{channel}`: the secret of `{setting}` cannot be had: {reason}", "通道 `{channel}`：无法取得 `{setting}` 的密钥：{reason}";
    NO_CHANNELS: "no channel is declared", "没有声明通道";
    ADD_CHANNEL: "add [alerts.channels.ops] with kind = \"dingtalk\" and webhook = { env = \"OPS_WEBHOOK\" } to milkrun.toml", "请在 milkrun.toml 中添加 [alerts.channels.ops]，其中 kind = \"dingtalk\"，webhook = { env = \"OPS_WEBHOOK\" }";
    NO_SUCH_CHANNEL: "no channel is called `{name}`", "没有名为 `{name}` 的通道";
    TEST_SENT: "{channel}: a test message was sent to {reaches}", "{channel}：测试消息已发送到 {reaches}";
    TEST_FAILED: "{channel}: the test message did not arrive", "{channel}：测试消息未送达";
    NO_INCIDENTS: "No incident is open, and none was.", "没有告警，也没有历史告警。";
    WHO_LOOKS: "`milkrun serve` looks for incidents; without it, `milkrun status` and `milkrun doctor` say how things are", "告警由 `milkrun serve` 发现；未运行它时，请用 `milkrun status` 和 `milkrun doctor` 查看现状";
    STILL_OPEN: "open", "未恢复";
    COLUMN_SINCE: "since", "开始时间";
    COLUMN_UNTIL: "until", "恢复时间";
    COLUMN_INCIDENT: "incident", "告警";
    COLUMN_DOCUMENTS: "documents", "单据";
    COLUMN_TOLD: "told", "已通知";
    INCIDENT_ADVICE: "  {id}: {advice}", "  {id}：{advice}";

    // Import.
    FILE_IS_THERE: "{file} is there already", "{file} 已存在";
    FILE_IS_THERE_HELP: "name another file with `--out`, or write over it with `--force`", "请用 `--out` 指定其他文件，或用 `--force` 覆盖";
    IMPORTED_KEYS: "keys: {carried} carried over, {translated} translated, {decisions} need a decision (see above)", "键：原样保留 {carried} 个，转换 {translated} 个，需决定 {decisions} 个（见上）";
    IMPORT_NEXT: "next: declare the accounts {accounts} in milkrun.toml, read the flow, then `milkrun check` and `milkrun preview`", "下一步：在 milkrun.toml 中声明账户 {accounts}，阅读该流程，然后运行 `milkrun check` 和 `milkrun preview`";
    BAD_INCLUDE: "`include` has to name the metadata", "`include` 应指明元数据文件";
    INCLUDE_FORM: "write include = { qeasy = [\"source.json\", \"target.json\"] }, relative to this file", "请写 include = { qeasy = [\"source.json\", \"target.json\"] }，路径相对于本文件";
    INCLUDED_UNREADABLE: "{file} cannot be used: {cause}", "无法使用 {file}：{cause}";
    INCLUDED_DECISIONS: "{n:key of the metadata needs|keys of the metadata need} a decision", "元数据中有 {n} 个键需要决定";
    INCLUDED_DECISIONS_HELP: "`{command}` lists them; what this file says itself counts", "`{command}` 会列出它们；以本文件所写为准";

    // Upkeep: retention, backup, restore, doctor, logs.
    AGE_FORM: "write a whole number and a unit, such as \"400d\", or \"never\"", "请写整数加单位，如 \"400d\"，或写 \"never\"";
    NO_SIZE: "`{key}` is not a size: `{value}`", "`{key}` 不是大小：`{value}`";
    SIZE_FORM: "write a whole number and a unit, such as \"20GiB\" or \"500MiB\"", "请写整数加单位，如 \"20GiB\" 或 \"500MiB\"";
    BELOW_FLOOR: "`{key}` has to be at least {floor}", "`{key}` 至少为 {floor}";
    WHY_FLOOR: "write at least that, or \"never\" to keep everything", "请写不小于该值的时间，或写 \"never\" 以全部保留";
    WHY_LEDGER_FLOOR: "targets remember keys for up to a month (Yonyou MDD), and a row must not be forgotten before them; \"never\" keeps everything", "目标最长会记住幂等键一个月（用友 MDD），台账行不能比它更早忘记；写 \"never\" 则全部保留";
    WHY_LOOKBACK_FLOOR: "`{flow}` looks back over {lookback}, and targets remember keys for up to 31d: a row must not be forgotten before both", "`{flow}` 回看 {lookback}，目标最长记住幂等键 31d：台账行不能比两者更早忘记";
    WHY_LETTERS_FLOOR: "a refused record is not in the target, and only its dead letter says so: people need a month to mend it", "被拒绝的记录不在目标系统中，只有死信说明这一点：修正至少需要一个月";
    NO_SUCH_LEVEL: "`{value}` is not a level of logs", "`{value}` 不是日志级别";
    LEDGER_NO_FILE: "the flow has no file that can be used, so it is not known what forgetting would do", "该流程没有可用的文件，无法判断忘记会带来什么";
    LEDGER_FILE: "the target is a file: a record that is forgotten and read again would stand in it twice", "目标是文件：被忘记后再次读到的记录会在其中出现两次";
    LEDGER_DOUBLES: "the target does not replace documents by key: a record that is forgotten and changes would arrive a second time", "目标不会按键替换单据：被忘记的记录再有变更时会重复到达";
    LEDGER_WHOLE: "the stream is read whole each time: everything that is forgotten would be sent again", "该数据流每次整体读取：被忘记的内容都会重新发送";
    KEPT_OPEN: "slices are open or records wait: they may still be needed", "有未关闭的切片或待投递的记录：可能仍然需要";
    RETAINED: "forgotten: runs {runs}, incidents {incidents}, refused records {letters}, ledger rows {ledger}, audit lines {audit}; pages: {segments:file|files}, {bytes}", "已忘记：运行 {runs} 次，告警 {incidents} 条，被拒绝的记录 {letters} 条，台账 {ledger} 行，审计 {audit} 行；页：{segments} 个文件，{bytes}";
    WOULD_RETAIN: "would be forgotten: runs {runs}, incidents {incidents}, refused records {letters}, ledger rows {ledger}, audit lines {audit}; pages: {segments:file|files}, {bytes}", "将会忘记：运行 {runs} 次，告警 {incidents} 条，被拒绝的记录 {letters} 条，台账 {ledger} 行，审计 {audit} 行；页：{segments} 个文件，{bytes}";
    RETAIN_KEPT: "  {flow}: {what} stay: {why}", "  {flow}：{what} 保留：{why}";
    WHAT_PAGES: "pages", "页";
    WHAT_LEDGER: "ledger rows", "台账行";
    NO_STATE_YET: "there is no state yet", "还没有状态";
    NO_STATE_YET_HELP: "run a flow first: `milkrun run`", "请先运行流程：`milkrun run`";
    COPY_STATE: "copying the state", "复制状态";
    COPY_PAGES: "copying pages", "复制页";
    PACK: "packing", "打包";
    UNPACK: "unpacking", "解包";
    PROVE: "proving checksums", "核对校验和";
    BACKED_UP: "The installation as of {at} is in {to}: {files:file|files}, {bytes}.", "截至 {at} 的安装已备份到 {to}：{files} 个文件，{bytes}。";
    BACKUP_LACKS: "Not in it, and needed to use it: {names}. Keep them elsewhere: without the key, tokens and secrets in the backup stay closed.", "不含以下文件，但使用备份时需要：{names}。请另行保管：没有密钥，备份中的令牌和密钥无法打开。";
    BACKUP_STARS: "Secrets that stand in milkrun.toml are replaced by stars in the backup; better put them into the vault: `milkrun secret set`.", "直接写在 milkrun.toml 中的密钥在备份中已替换为星号；建议存入保险库：`milkrun secret set`。";
    RESTORED: "The state of {at} is in {state}. Flows: {flows}.", "{at} 的状态已放入 {state}。流程：{flows}。";
    RESTORE_ASIDE: "The state that was there is in {aside}; remove it when it is not needed any more.", "原有的状态在 {aside}；不再需要时请删除。";
    RESTORE_PUT: "put: {names}", "已放入：{names}";
    RESTORE_KEPT: "left alone, though the backup has another version: {names}", "保留现有文件（备份中的版本不同）：{names}";
    RESTORE_MISSING: "not in the backup, and not here: {names}; put them back before the next run", "备份中没有，此处也没有：{names}；请在下次运行前放回";
    RESTORE_STARS: "milkrun.toml has stars in the place of secrets: write them again, or put them into the vault", "milkrun.toml 中的密钥已是星号：请重新填写，或存入保险库";
    RESTORE_MEANS: "What was delivered after {at} is not known to this state, and the next run sends it again: targets with keys take it once, within the time that they remember keys; files are cut back to where they were; other targets may get it twice, so compare them first. A token that was renewed after {at} may be dead: `milkrun login`, or set its secret again.", "此状态不知道 {at} 之后投递了什么，下次运行会再次发送：带幂等键的目标在其记忆期内只会接收一次；文件会截回当时的长度；其他目标可能收到两次，请先核对。{at} 之后刷新过的令牌可能已失效：请用 `milkrun login` 或重新设置其密钥。";
    DOC_SUMMARY: "bad: {bad}, warnings: {warnings}, good: {good}", "异常 {bad} 项，警告 {warnings} 项，正常 {good} 项";
    DOC_GOOD: "good", "正常";
    DOC_WARNING: "warning", "警告";
    DOC_BAD: "bad", "异常";
    DOC_PART_STATE: "state", "状态";
    DOC_PART_CLOCK: "clock", "时钟";
    DOC_PART_DISK: "disk", "磁盘";
    DOC_PART_ACCOUNTS: "accounts", "账户";
    DOC_PART_FILES: "files", "文件";
    DOC_PART_FLOWS: "flows", "流程";
    DOC_DAMAGED: "the state is damaged: {finding}", "状态已损坏：{finding}";
    DOC_DAMAGED_HELP: "end all milkrun processes and bring the last backup back: `milkrun restore FILE --force`", "请结束所有 milkrun 进程，并恢复最近的备份：`milkrun restore 文件 --force`";
    DOC_DEAD_LEASE: "`{flow}` was being run by {owner}, which has died", "`{flow}` 曾由 {owner} 运行，该进程已死亡";
    DOC_DEAD_LEASE_HELP: "nothing is lost: the next run goes on where it ended", "没有丢失：下次运行会从中断处继续";
    DOC_SEGMENT_MISSING: "pages of `{flow}` are missing: {file}", "`{flow}` 的页缺失：{file}";
    DOC_SEGMENT_NEEDED_HELP: "records in it are not delivered yet: put the file back from a backup, or run the flow with `--restart`", "其中有尚未投递的记录：请从备份恢复该文件，或用 `--restart` 运行该流程";
    DOC_SEGMENT_HELP: "everything in it is delivered; only `milkrun trace` cannot show its records any more", "其中的内容均已投递；只是 `milkrun trace` 不能再显示这些记录";
    DOC_STATE_GOOD: "the state is sound: schema {schema}, {database}, pages {pages}, {rows} delivered documents", "状态完好：结构版本 {schema}，{database}，页 {pages}，已投递 {rows} 份单据";
    DOC_STATE_SHALLOW: "the state opens: schema {schema}, {database}, pages {pages}, {rows} delivered documents (not read whole)", "状态可以打开：结构版本 {schema}，{database}，页 {pages}，已投递 {rows} 份单据（未完整读取）";
    DOC_CLOCK_BEHIND: "it is {now} here, but a run ended at {newest}: the clock was set back", "此处时间为 {now}，但有一次运行结束于 {newest}：时钟被拨回过";
    DOC_CLOCK_SKEW: "the clock differs by {secs} s from {host}", "时钟与 {host} 相差 {secs} 秒";
    DOC_CLOCK_HELP: "set the clock by NTP (`timedatectl set-ntp true`): vendors refuse signatures that are minutes old, and windows end at the wrong time", "请用 NTP 校时（`timedatectl set-ntp true`）：厂商会拒绝几分钟前的签名，时间窗口也会错位";
    DOC_CLOCK_UNKNOWN: "could not be asked for the time: {hosts}", "无法询问时间：{hosts}";
    DOC_CLOCK_UNKNOWN_HELP: "check the network, the firewall and the address in the account's settings", "请检查网络、防火墙和账户设置中的地址";
    DOC_DISK: "{free} of {total} are free; the state takes {size}", "可用 {free}，共 {total}；状态占用 {size}";
    DOC_DISK_GROWS: "{free} of {total} are free; the state takes {size} and grows by {growth} a day: enough for {days:day|days}", "可用 {free}，共 {total}；状态占用 {size}，每天增长 {growth}：还可用 {days} 天";
    DOC_DISK_HELP: "free some space, or keep less: `pages` and `pages_size` in `[retention]`, then `milkrun retain`", "请腾出空间，或减少保留：`[retention]` 的 `pages` 和 `pages_size`，然后 `milkrun retain`";
    DOC_TOKEN_DEAD: "the token of `{account}` is dead: {reason}", "`{account}` 的令牌已失效：{reason}";
    DOC_TOKEN_HELP: "authorise the account again: `milkrun login ACCOUNT`, or set its new token with `milkrun secret set`", "请重新授权：`milkrun login 账户`，或用 `milkrun secret set` 设置新令牌";
    DOC_TOKEN_UNFINISHED: "a renewal of the token of `{account}` began, and how it ended is not known", "`{account}` 的令牌刷新已开始，但结果未知";
    DOC_TOKEN_UNFINISHED_HELP: "the next call finds out; if it is refused, authorise the account again", "下次调用会查明；若被拒绝，请重新授权";
    DOC_TOKEN_ENDLESS: "the token of `{account}` has no known end", "`{account}` 的令牌没有已知的到期时间";
    DOC_TOKEN_ENDED: "the token of `{account}` ended at {end}", "`{account}` 的令牌已于 {end} 到期";
    DOC_TOKEN_RENEW_HELP: "the next call renews it; if that is refused, authorise the account again", "下次调用会刷新；若被拒绝，请重新授权";
    DOC_TOKEN_LEFT: "the token of `{account}` lives for {left} more, until {end}", "`{account}` 的令牌还可用 {left}，至 {end}";
    DOC_FLOW_NEVER: "`{flow}` has never run", "`{flow}` 从未运行";
    DOC_FLOW_NEVER_HELP: "run it once with `milkrun run`, after looking at `milkrun preview`", "看过 `milkrun preview` 之后，用 `milkrun run` 运行一次";
    DOC_FLOWS_GOOD: "flows that have run and are up to date: {n}", "已运行且无滞后的流程：{n} 个";
    DOC_FLOW_FAILED: "the last run of `{flow}` failed: {reason}", "`{flow}` 上次运行失败：{reason}";
    DOC_FLOW_FAILED_HELP: "run it again with `milkrun run` and read what it says: it goes on where it ended", "用 `milkrun run` 再次运行并查看提示：会从中断处继续";
    DOC_FLOW_UNPROVED: "the last run of `{flow}` could not prove that nothing is missing", "`{flow}` 上次运行未能证明没有遗漏";
    DOC_FLOW_UNPROVED_HELP: "run it again; if it stays so, read the slices with a quieter source or a smaller `window`", "请再次运行；若仍如此，请在来源变动较少时读取，或调小 `window`";
    DOC_FLOW_FIRST: "the first run of `{flow}` is under way: {who}", "`{flow}` 首次运行进行中：{who}";
    DOC_FLOW_RUNS: "`{flow}` is running: {who}", "`{flow}` 运行中：{who}";
    DOC_FLOW_CUT: "the last run of `{flow}` was cut off", "`{flow}` 上次运行被中断";
    DOC_FLOW_CUT_HELP: "run it again: it goes on where it ended", "请再次运行：会从中断处继续";
    DOC_FLOW_LETTERS: "`{flow}` has refused records: {n}", "`{flow}` 有被拒绝的记录：{n} 条";
    DOC_FLOW_LETTERS_HELP: "`milkrun dead-letters FLOW` says why; mend it, then `milkrun replay FLOW`", "`milkrun dead-letters 流程` 会说明原因；修正后运行 `milkrun replay 流程`";
    DOC_FLOW_LAG: "`{flow}` is read up to {until} only", "`{flow}` 只读到 {until}";
    DOC_FLOW_LAG_HELP: "run it, or let `milkrun serve` run it by its `schedule`", "请运行它，或让 `milkrun serve` 按其 `schedule` 运行";
    DOC_QUOTA_WIDE: "the `quota` of `{account}` allows more than the vendor's {vendor}", "`{account}` 的 `quota` 超过厂商的 {vendor}";
    DOC_QUOTA_WIDE_HELP: "lower it, unless the vendor has granted the app key more", "请调低，除非厂商已为该应用提高限额";
    #[cfg_attr(all(feature = "keyring", not(test)), expect(dead_code, reason = "only said without a keyring"))]
    KEYRING_NOT_BUILT: "this milkrun was built without the system's keyring", "此 milkrun 未包含系统密钥环支持";
    #[cfg_attr(all(feature = "keyring", not(test)), expect(dead_code, reason = "only said without a keyring"))]
    KEYRING_NOT_BUILT_HELP: "build it with `--features keyring`, or keep the key in a file or a variable", "请用 `--features keyring` 构建，或把密钥放在文件或环境变量中";
    KEYRING_UNUSABLE: "the system's keyring cannot be used", "无法使用系统密钥环";
    KEYRING_UNUSABLE_HELP: "unlock it, or sign in to a desktop session; a server without one keeps the key in a file or a variable", "请解锁密钥环或登录桌面会话；没有密钥环的服务器请把密钥放在文件或环境变量中";
    KEYRING_LACKS_KEY: "the system's keyring has no key called `{name}`", "系统密钥环中没有名为 `{name}` 的密钥";
    KEYRING_LACKS_KEY_HELP: "`milkrun init --key keyring` makes one; without the old one, what was sealed with it cannot be opened", "`milkrun init --key keyring` 可生成；没有原来的密钥，用它封存的内容无法打开";
    KEYRING_KEY_MADE: "made a key in the system's keyring: {name}", "已在系统密钥环中生成密钥：{name}";
    KEYRING_KEY_KEPT: "left alone: the key {name} in the system's keyring", "保留：系统密钥环中的密钥 {name}";
    KEYRING_ADD_SETTING: "milkrun.toml does not name the key: add `key = { keyring = \"{name}\" }` to `[store]`", "milkrun.toml 没有指明密钥：请在 `[store]` 中添加 `key = { keyring = \"{name}\" }`";

    // Login, messages, signing.
    NO_LOGIN: "account `{account}` is not authorised in the browser", "账户 `{account}` 无需在浏览器中授权";
    NO_LOGIN_HELP: "its credentials stand in its settings: `milkrun check` proves them", "其凭据写在账户设置中，可用 `milkrun check` 验证";
    OPEN_LINK: "Open this link, grant access to `{account}`, and come back with the code:", "打开以下链接，为 `{account}` 授权，然后带着授权码回来：";
    TYPE_CODE: "The code, or the whole address that the browser was sent to (it is not shown):", "授权码，或浏览器跳转到的完整地址（不会显示）：";
    NO_CODE_GIVEN: "no code was given", "没有给出授权码";
    CODE_FORM: "type it, or pipe it in: `echo CODE | milkrun login ACCOUNT`", "请输入，或通过管道传入：`echo CODE | milkrun login ACCOUNT`";
    LOGGED_IN: "account `{account}` is authorised; its token is in the vault", "账户 `{account}` 已授权，令牌已存入保险库";
    LOGGED_IN_UNTIL: "account `{account}` is authorised; its token is in the vault and lives until {end}", "账户 `{account}` 已授权，令牌已存入保险库，有效至 {end}";
    SEVERAL_ACCOUNTS: "several accounts use the connector `{connector}`", "有多个账户使用连接器 `{connector}`";
    NOBODY_SENDS: "no account's vendor sends messages by itself", "没有账户的厂商会主动推送消息";
    NOBODY_SENDS_HELP: "a store application of Chanjet T+ does: set `message_secret` in its account", "畅捷通 T+ 的商店应用会推送：请在其账户中设置 `message_secret`";
    RECEIVING_AT: "Messages are taken at these addresses until Ctrl-C; register what leads to them at the vendor:", "在以下地址接收消息，按 Ctrl-C 结束；请在厂商后台登记能到达它们的地址：";
    SIGNS_NOTHING: "connector `{connector}` signs no calls", "连接器 `{connector}` 的调用无需签名";
    SIGN_INPUT: "give one JSON object on standard input, such as the connector's page shows", "请从标准输入给出一个 JSON 对象，写法见连接器页面";

    // Verdicts.
    VERDICT_RECONCILED: "reconciled", "已对平";
    VERDICT_UNRECONCILED: "unreconciled", "未对平";
    VERDICT_PARTIAL: "partial", "部分";
    VERDICT_FAILED: "failed", "失败";

    // What kind of error, and what usually helps.
    KIND_CONFIG: "a setting is missing or wrong", "设置缺失或有误";
    FIX_CONFIG: "correct the setting and run again", "改正设置后重新运行";
    KIND_FORBIDDEN: "the vendor refuses access", "厂商拒绝访问";
    FIX_FORBIDDEN: "check permissions, the IP list and the interfaces granted to the app key at the vendor", "在厂商后台检查权限、IP 白名单以及该应用已开通的接口";
    KIND_TOKEN_EXPIRED: "the token was refused", "令牌被拒绝";
    FIX_TOKEN_EXPIRED: "run again; if it stays so, authorise the account again and store the new token", "重新运行；若仍如此，请重新授权并保存新令牌";
    KIND_TOKEN_DEAD: "the token is dead and cannot be renewed", "令牌已失效且无法刷新";
    FIX_TOKEN_DEAD: "authorise the account again at the vendor, then store the new token with `milkrun secret set`", "在厂商处重新授权，然后用 `milkrun secret set` 保存新令牌";
    KIND_QUOTA: "the vendor says that calls come too fast", "厂商提示调用过快";
    FIX_QUOTA: "look for other programs that use the same app key, or lower the account's calls_per_second", "检查是否有其他程序使用同一应用，或调低账户的 calls_per_second";
    KIND_UNAVAILABLE: "the vendor cannot be reached for the moment", "暂时无法连接厂商";
    FIX_UNAVAILABLE: "check the network and the address, and run again: it goes on where it ended", "检查网络和地址后重新运行，会从中断处继续";
    KIND_UNKNOWN_OUTCOME: "a call went out and no clear answer came", "调用已发出，但没有得到明确答复";
    FIX_UNKNOWN_OUTCOME: "run again: it finds out first what became of the call", "重新运行，会先查清该调用的结果";
    KIND_MALFORMED: "the vendor's answer is not what it documents", "厂商的答复与其文档不符";
    FIX_MALFORMED: "run again; if it stays so, check the address of the account, or report it with --log-json", "重新运行；若仍如此，请检查账户地址，或附上 --log-json 的日志反馈";
    KIND_REFUSED: "the request was refused for good", "请求被明确拒绝";
    FIX_REFUSED: "the message above is the refusal in its own words; correct what it names", "以上是对方的原话，请据此改正";
    KIND_INCOHERENT: "the pages contradict each other", "各页内容相互矛盾";
    FIX_INCOHERENT: "nothing is lost: run again at a quieter time, or ask for `proof = \"read-twice\"`", "没有数据丢失：请在较空闲时重新运行，或设置 `proof = \"read-twice\"`";
    KIND_STATE: "the state cannot be read, written or understood", "状态数据无法读取、写入或识别";
    FIX_STATE: "leave the files as they are, and put back a backup or use the version of milkrun that wrote them", "请勿改动这些文件；恢复备份，或使用写入它们的 milkrun 版本";
    KIND_BUSY: "another process has what this one needs", "所需资源被另一个进程占用";
    FIX_BUSY: "wait until it ends, or end it", "等待其结束，或将其结束";
    KIND_NOT_FOUND: "it is not there", "没有找到";
    FIX_NOT_FOUND: "check the name or the number", "请检查名称或编号";
    KIND_IO: "a file or folder of this machine failed", "本机文件或文件夹操作失败";
    FIX_IO: "check that it exists, that this user may use it, and that the disk has space", "检查它是否存在、当前用户是否有权限、磁盘是否有空间";
    KIND_INTERRUPTED: "the run was stopped", "运行已被停止";
    FIX_INTERRUPTED: "run again: it goes on where it ended", "重新运行即可从中断处继续";
    KIND_UNEXPECTED: "something unexpected happened", "发生了意外情况";
    FIX_UNEXPECTED: "run again with -vv and report what it says", "加上 -vv 重新运行，并反馈其输出";

    PANICKED: "this is a mistake in milkrun itself ({place}): {message}\nnothing committed is lost; run again, and please report it", "这是 milkrun 自身的错误（{place}）：{message}\n已提交的内容不会丢失；请重新运行，并反馈此问题";

    // Types of values.
    A_TEXT: "a text in quotes", "带引号的文本";
    AN_INTEGER: "a whole number", "整数";
    A_FLOAT: "a number with a point", "小数";
    A_NUMBER: "a number", "数字";
    A_BOOLEAN: "true or false", "true 或 false";
    A_DATE_TIME: "a date", "日期";
    A_LIST: "a list", "列表";
    A_SCHEDULE: "a timetable such as \"0 */5 * * * ?\", or a table", "时间表，例如 \"0 */5 * * * ?\"，或一个表";
    A_TABLE: "a table", "表";
    A_DURATION: "a span of time such as \"10m\"", "时长，如 \"10m\"";
    A_MOMENT: "a date such as \"2026-01-01\"", "日期，如 \"2026-01-01\"";
    A_SECRET: "a secret such as { env = \"NAME\" }", "密钥，如 { env = \"NAME\" }";
    WRONG_TYPE: "`{key}` has to be {wanted}, not {found}", "`{key}` 应为{wanted}，而不是{found}";
    WRITE_IN_QUOTES: "write it in quotes: \"{value}\"", "请加引号：\"{value}\"";
    WRITE_WITHOUT_QUOTES: "write it without quotes: {value}", "请去掉引号：{value}";
    EMPTY_TEXT: "`{key}` is empty", "`{key}` 为空";

    // Mistakes in files.
    NOT_TOML: "this is not valid TOML: {message}", "TOML 语法错误：{message}";
    NOT_UTF8: "the file is not UTF-8 from here on", "文件从此处起不是 UTF-8 编码";
    SAVE_AS_UTF8: "save it as UTF-8; an editor in Chinese may have written GBK", "请另存为 UTF-8 编码；中文编辑器可能保存成了 GBK（ANSI）";
    FILE_UNREADABLE: "{file} cannot be read", "无法读取 {file}";
    NO_INSTALLATION: "there is no {file} in the folder {dir}", "文件夹 {dir} 中没有 {file}";
    MAKE_INSTALLATION: "`milkrun init` makes one here; `--dir FOLDER` names another folder; `milkrun demo` shows one at work", "`milkrun init` 可在此创建；`--dir 文件夹` 指定其他位置；`milkrun demo` 可看演示";
    UNKNOWN_KEY: "`{key}` is not a key of {section}", "{section} 中没有 `{key}` 这个键";
    BELONGS_IN: "`{key}` belongs in {section}", "`{key}` 应写在 {section} 中";
    THE_FLOW_FILE: "a flow file", "流程文件";
    TOP_OF_FILE: "the top of the file, above all tables", "文件开头（所有表之前）";
    MISSING_KEY: "{section} lacks `{key}`", "{section} 缺少 `{key}`";
    MISSING_TABLE: "the flow lacks the table [{key}]", "流程缺少表 [{key}]";
    ADD_LINE: "add: {line}", "请添加：{line}";
    ADD_LINE_ABOUT: "add: {line}  {about}", "请添加：{line}  {about}";
    REMOVE_LINE: "remove the line", "请删除这一行";
    OUT_OF_RANGE: "`{key}` is {value}; it has to be {least} to {most}", "`{key}` 为 {value}，应在 {least} 到 {most} 之间";
    NO_SUCH_CHOICE: "`{key}` cannot be \"{value}\"", "`{key}` 不能为 \"{value}\"";
    NO_DURATION: "`{key}` is not a span of time: \"{value}\"", "`{key}` 不是时长：\"{value}\"";
    DURATION_FORM: "write whole numbers with ms, s, m, h, d or w: \"90s\", \"10m\", \"1h30m\", \"1d\"", "请用整数加单位 ms、s、m、h、d、w，例如 \"90s\"、\"10m\"、\"1h30m\"、\"1d\"";
    DURATION_LACKS_UNIT: "`{key}` has no unit", "`{key}` 没有单位";
    DURATION_WITH_UNIT: "write \"{value}s\" for seconds, \"{value}m\" for minutes", "秒请写 \"{value}s\"，分钟请写 \"{value}m\"";
    NO_DATE: "`{key}` is not a date: \"{value}\"", "`{key}` 不是日期：\"{value}\"";
    DATE_FORM: "write \"2026-01-01\", \"2026-01-01 08:00:00\" or \"2026-01-01T08:00:00+08:00\"", "请写作 \"2026-01-01\"、\"2026-01-01 08:00:00\" 或 \"2026-01-01T08:00:00+08:00\"";
    DATE_OUT_OF_RANGE: "`{key}` lies outside the years 1 to 9999", "`{key}` 超出公元 1 至 9999 年";
    JITTER_TOO_LONG: "`jitter` is more than a day", "`jitter` 超过一天";
    NO_ACCOUNTS: "no account is declared", "没有声明任何账户";
    ADD_ACCOUNT: "add [accounts.NAME] with connector = \"…\"; `milkrun connectors` lists them, and `milkrun init --connector kuaimai` writes an example", "请添加 [accounts.名称] 和 connector = \"…\"；`milkrun connectors` 列出全部，`milkrun init --connector kuaimai` 写出示例";
    BAD_ACCOUNT_NAME: "`{name}` cannot be the name of an account", "`{name}` 不能作账户名";
    ACCOUNT_NAME_FORM: "use letters, digits, `-` and `_`", "请用字母、数字、`-` 和 `_`";
    NO_CONNECTOR: "account `{account}` does not say which connector it uses", "账户 `{account}` 没有指定连接器";
    NAME_A_CONNECTOR: "add connector = \"…\"; known: {names}", "请添加 connector = \"…\"；可选：{names}";
    NO_SUCH_CONNECTOR: "no connector is called `{name}`", "没有名为 `{name}` 的连接器";
    UNKNOWN_SETTING: "`{key}` is not a setting of this connector", "该连接器没有 `{key}` 这个设置";
    MISSING_SETTING: "the setting `{key}` is missing", "缺少设置 `{key}`";
    BAD_STORE_KEY: "`key` has to say where the vault's key is", "`key` 应说明保险库密钥的位置";
    STORE_KEY_FORM: "write key = { file = \"milkrun.key\" } or key = { env = \"MILKRUN_KEY\" }", "请写 key = { file = \"milkrun.key\" } 或 key = { env = \"MILKRUN_KEY\" }";
    KEY_IN_VAULT: "the key of the vault cannot be in the vault", "保险库的密钥不能放在保险库里";

    // Secrets.
    OTLP_FORM: "write the collector's address: \"http://127.0.0.1:4318\"", "请写采集器的地址：\"http://127.0.0.1:4318\"";
    NO_OTEL: "this program cannot send spans: it was built without the feature `otel`", "此程序构建时未启用 `otel` 特性，无法发送跟踪";
    NO_OTEL_HELP: "build it with `cargo build --features otel`, or remove the line", "请用 `cargo build --features otel` 构建，或删除这一行";
    LISTEN_FORM: "write an address and a port: \"127.0.0.1:7070\", \"0.0.0.0:7070\", \"[::1]:7070\"", "请写地址和端口：\"127.0.0.1:7070\"、\"0.0.0.0:7070\"、\"[::1]:7070\"";
    PUBLIC_URL_FORM: "write the address as people type it, without a path: \"https://milkrun.example.com\"", "请写人们输入的地址，不带路径：\"https://milkrun.example.com\"";
    NETWORK_FORM: "write an address or a network: \"10.0.0.7\", \"10.0.0.0/8\", \"fd00::/8\"", "请写地址或网段：\"10.0.0.7\"、\"10.0.0.0/8\"、\"fd00::/8\"";
    BAD_CALLER_NAME: "\"{name}\" cannot be the name of a user or a program", "\"{name}\" 不能用作用户或程序的名称";
    NO_PASSWORD_HASH: "`password` is no argon2id hash", "`password` 不是 argon2id 哈希";
    NO_PASSWORD_HASH_HELP: "run `milkrun console password` and write here what it prints, never the password itself", "运行 `milkrun console password`，把它输出的内容写在这里；切勿写密码本身";
    OPEN_CONSOLE: "the console is reached from other machines, and nobody has to sign in", "其他机器可以访问控制台，却无需登录";
    OPEN_CONSOLE_HELP: "add [console.users.NAME] with role and password (`milkrun console password`), or listen = \"127.0.0.1:7070\"", "请添加 [console.users.名称]，写明 role 和 password（见 `milkrun console password`），或改为 listen = \"127.0.0.1:7070\"";
    PLAIN_CONSOLE: "passwords and cookies of the console go over the network in plain text", "控制台的密码和 Cookie 会以明文经过网络";
    PLAIN_CONSOLE_HELP: "add tls = { cert = \"…\", key = \"…\" }, or put a proxy with TLS in front and name it as public_url = \"https://…\"", "请添加 tls = { cert = \"…\", key = \"…\" }，或在前面放置带 TLS 的代理并写明 public_url = \"https://…\"";
    ACCESS_TOKEN_MISSING: "the access token of `{name}` cannot be had: {reason}", "无法取得 `{name}` 的访问令牌：{reason}";
    FOREIGN_ADDRESS: "this machine has no address {address}, so that nothing can listen there now", "本机没有地址 {address}，目前无法在该处监听";
    FOREIGN_ADDRESS_HELP: "write an address of the machine that runs `milkrun serve`, or \"0.0.0.0:7070\" for all of them", "请写运行 `milkrun serve` 的机器的地址，或用 \"0.0.0.0:7070\" 表示其全部地址";
    NO_TLS_FILE: "there is no file {path}", "没有文件 {path}";
    NO_TLS_FILE_HELP: "write the path of a PEM file, relative to the folder of milkrun.toml", "请写 PEM 文件的路径，相对于 milkrun.toml 所在的文件夹";
    TLS_UNUSABLE: "{reason}: {path}", "{reason}：{path}";
    WEAK_TOKEN: "the access token of `{name}` is shorter than {least} characters, or has white space", "`{name}` 的访问令牌短于 {least} 个字符，或含有空白";
    WEAK_TOKEN_HELP: "take a random one: `openssl rand -hex 32`", "请使用随机值：`openssl rand -hex 32`";
    INLINE_SECRET: "`{key}` is a secret and is written here in plain text", "`{key}` 是密钥，却以明文写在这里";
    INLINE_SECRET_HELP: "write {key} = { env = \"{env}\" }, { file = \"…\" } or { vault = \"…\" }", "请写 {key} = { env = \"{env}\" }、{ file = \"…\" } 或 { vault = \"…\" }";
    UNKNOWN_SECRET_SOURCE: "a secret cannot be taken from `{key}`", "不能从 `{key}` 取得密钥";
    SECRET_NEEDS_ONE_SOURCE: "`{key}` needs exactly one source", "`{key}` 需要且只能有一个来源";
    SECRET_FORM: "write { env = \"NAME\" }, { file = \"path\" } or { vault = \"name\" }", "请写 { env = \"变量名\" }、{ file = \"路径\" } 或 { vault = \"名称\" }";
    SECRET_MISSING: "account `{account}`: the secret of `{setting}` cannot be had: {reason}", "账户 `{account}`：无法取得 `{setting}` 的密钥：{reason}";
    SECRET_IS_EMPTY: "the secret is empty ({source})", "密钥为空（{source}）";
    VARIABLE_NOT_SET: "the variable {name} is not set", "未设置环境变量 {name}";
    SET_VARIABLE: "set it before the start: export {name}=…", "启动前请设置：export {name}=…";
    SECRET_FILE_UNREADABLE: "the file {path} cannot be read", "无法读取文件 {path}";
    MAKE_SECRET_FILE: "put the secret alone into {path}, readable by this user only (chmod 600)", "请把密钥单独写入 {path}，并只允许当前用户读取（chmod 600）";
    NOT_IN_VAULT: "the vault has no secret called `{name}`", "保险库中没有名为 `{name}` 的密钥";
    PUT_INTO_VAULT: "keep it there: milkrun secret set {name}", "请存入：milkrun secret set {name}";
    SECRET_KEPT: "The secret `{name}` is kept in the vault; settings refer to it by { vault = \"{name}\" }.", "密钥 `{name}` 已存入保险库；在设置中用 { vault = \"{name}\" } 引用。";
    SECRET_REMOVED: "The secret `{name}` is removed.", "密钥 `{name}` 已删除。";
    NO_SECRETS: "The vault holds no secret.", "保险库中没有密钥。";
    TYPE_PASSWORD: "Type the password, then press Enter; it is not shown.", "请输入密码后回车；内容不会显示。";
    TYPE_PASSWORD_AGAIN: "Type it once more.", "请再输入一次。";
    PASSWORDS_DIFFER: "the passwords are not the same", "两次输入的密码不同";
    RUN_AGAIN: "run the command again", "请重新运行该命令";
    SHORT_PASSWORD: "the password has fewer than {least} characters", "密码少于 {least} 个字符";
    SHORT_PASSWORD_HELP: "take a longer one: a few words that do not belong together", "请使用更长的密码，例如几个互不相关的词";
    PASSWORD_GOES_WHERE: "Write it in milkrun.toml: [console.users.NAME] with role = \"operator\" or \"viewer\", and password = \"…\".", "请写入 milkrun.toml：[console.users.名称]，包含 role = \"operator\" 或 \"viewer\"，以及 password = \"…\"。";
    TYPE_SECRET: "Type or paste the secret `{name}`, then press Enter; it is not shown.", "请输入或粘贴密钥 `{name}` 后回车；内容不会显示。";
    NO_SECRET_GIVEN: "no secret was given", "没有输入密钥";
    PIPE_SECRET: "type it, or pipe it in: printf %s \"$SECRET\" | milkrun secret set NAME", "请直接输入，或通过管道：printf %s \"$SECRET\" | milkrun secret set 名称";

    // What only shows when the parts are put together.
    NO_SUCH_ACCOUNT: "no account is called `{name}`", "没有名为 `{name}` 的账户";
    ACCOUNT_HAS_NO_STREAMS: "account `{account}` has nothing to read", "账户 `{account}` 没有可读取的数据流";
    DECLARE_STREAMS: "declare [[accounts.{account}.streams]] if the connector takes them, or name another account", "若连接器支持，请声明 [[accounts.{account}.streams]]，或换用其他账户";
    ACCOUNT_HAS_NO_TARGETS: "account `{account}` cannot be written to", "账户 `{account}` 不能写入";
    NO_SUCH_STREAM: "account `{account}` has no stream called `{stream}`", "账户 `{account}` 没有名为 `{stream}` 的数据流";
    NO_SUCH_TARGET: "account `{account}` has no target called `{target}`", "账户 `{account}` 没有名为 `{target}` 的目标";
    TARGET_TAKEN: "the target `{target}` is written by flow `{flow}` already", "目标 `{target}` 已由流程 `{flow}` 写入";
    TARGET_TAKEN_HELP: "give each flow a file of its own: two flows would cut each other's lines", "每个流程应有自己的文件，否则会互相截断";
    STREAM_WITHOUT_KEY: "stream `{stream}` declares no key, so nothing could be proved", "数据流 `{stream}` 没有声明主键，无法证明完整";
    NO_WINDOW: "`{key}` has no meaning here: stream `{stream}` is always read whole", "`{key}` 在此无效：数据流 `{stream}` 总是整体读取";
    NO_SINCE: "the flow does not say from when on `{stream}` is read", "流程没有说明从何时开始读取 `{stream}`";
    UNTIL_BEFORE_SINCE: "`until` is not after `since`", "`until` 不晚于 `since`";
    WINDOW_TOO_LONG: "`window` is longer than the {longest} that `{stream}` allows", "`window` 超过了 `{stream}` 允许的 {longest}";
    WINDOW_TOO_SHORT: "`window` has to be {least} at least", "`window` 至少为 {least}";
    PROOF_NOT_STRICTER: "`{stream}` is proved by `{own}`, and `{asked}` is not stricter", "`{stream}` 的证明方式是 `{own}`，`{asked}` 并不更严格";
    PAGE_SIZE_RANGE: "`page_size` is {value}; for `{stream}` it has to be {least} to {most}", "`page_size` 为 {value}；`{stream}` 要求在 {least} 到 {most} 之间";
    BATCH_TOO_LARGE: "`batch` is more than the {most} that `{target}` takes at once", "`batch` 超过了 `{target}` 一次可接收的 {most}";
    CANNOT_BE_ASKED: "`ask_first` asks the target what it has, and `{target}` cannot be asked", "`ask_first` 需要向目标查询已有单据，而 `{target}` 无法查询";
    JOURNAL_NEEDED: "`{target}` is called over the network, which needs the journal", "`{target}` 通过网络调用，必须保留流水日志";
    NO_SUCH_FLOW: "no flow is called `{name}`", "没有名为 `{name}` 的流程";
    NO_FLOWS: "add a file such as flows/orders.toml; `milkrun demo` writes two to learn from", "请添加文件，如 flows/orders.toml；`milkrun demo` 会写出两个可供参考的流程";
    NO_FLOWS_HERE: "this installation has no flow", "此处没有任何流程";
    WHICH_FLOW: "which flow?", "请指定流程";
    WHICH_FLOW_HELP: "name one or several, or say --all; there are: {names}", "请写出一个或多个，或使用 --all；现有：{names}";

    // `check`.
    FILES_ARE_RIGHT: "The files are right: accounts {accounts}, flows {flows}.", "文件无误：账户 {accounts} 个，流程 {flows} 个。";
    CHECKING: "asking {account} …", "正在验证 {account} …";
    ACCOUNT_GOOD: "good", "可用";
    ACCOUNT_BAD: "failed", "验证失败";

    // `run`.
    RESTART_NOTHING: "{flow}: everything is read again; the file of target `{target}` holds nothing yet.", "{flow}：将全部重新读取；目标 `{target}` 的文件尚无内容。";
    RESTART_ASIDE: "{flow}: everything is read again; the file of target `{target}` is kept under another name, as `….bak-1`, and written anew.", "{flow}：将全部重新读取；目标 `{target}` 的文件会改名保留（如 `….bak-1`），然后重新写入。";
    RESTART_REPLACED: "{flow}: everything is read again; the file of target `{target}` is overwritten.", "{flow}：将全部重新读取；目标 `{target}` 的文件会被覆盖。";
    RESTART_REFUSED: "flow `{flow}` cannot begin anew: the file of target `{target}` has content, and it refuses to be written over", "流程 `{flow}` 无法重新开始：目标 `{target}` 的文件已有内容，且设置为拒绝覆盖";
    RESTART_REFUSED_HELP: "move {file} away, or set `on_existing` of the target to \"keep-aside\" or \"replace\"; nothing has been forgotten", "请移走 {file}，或将该目标的 `on_existing` 设为 \"keep-aside\" 或 \"replace\"；尚未忘记任何内容";
    RESTART_KEY: "{flow}: everything is read and sent again with the same keys; target `{target}` answers with its first result as long as it remembers them.", "{flow}：将全部重新读取并以相同的幂等键重新发送；在目标 `{target}` 记得这些键的期限内，会返回首次结果。";
    RESTART_UPSERT: "{flow}: everything is read and sent again; target `{target}` replaces the documents it has.", "{flow}：将全部重新读取并发送；目标 `{target}` 会替换已有单据。";
    RESTART_UNIQUE: "{flow}: everything is read and sent again; target `{target}` takes no second document: those that it has are looked up, or become dead letters.", "{flow}：将全部重新读取并发送；目标 `{target}` 不接受重复单据：已有单据会查询确认，否则转入死信。";
    RESTART_KEPT: "{flow}: everything is read and sent again; documents that target `{target}` has stay as they are and count as delivered.", "{flow}：将全部重新读取并发送；目标 `{target}` 已有的单据保持不变，计为已送达。";
    RESTART_DOUBLES: "{flow}: everything is read and sent again, and target `{target}` CANNOT KEEP IT FROM ARRIVING TWICE.", "{flow}：将全部重新读取并发送，目标 `{target}` 无法避免重复单据！";
    RESTART_QUESTION: "Begin anew? [y/N]", "确定重新开始吗？[y/N]";
    RESTART_NEEDS_YES: "`--restart` asks before it forgets, and nobody is there to answer", "`--restart` 需要确认，但当前无人应答";
    ADD_YES: "add --yes if that is what you want", "若确实需要，请加上 --yes";
    NOTHING_DONE: "Nothing was done.", "未执行任何操作。";
    STOPPING: "Ending in good order; what is committed stays, and the next run goes on from there. Ctrl-C again ends at once, which loses nothing either.", "正在有序结束；已提交的内容会保留，下次运行从这里继续。再按一次 Ctrl-C 立即结束，同样不会丢失数据。";
    STOPPED_HARD: "Ended at once. The next run goes on by itself where the last commit was.", "已立即结束。下次运行会自动从最后一次提交处继续。";
    FLOW_DID_NOT_BEGIN: "Flow `{flow}` did not run:", "流程 `{flow}` 未能运行：";
    PROGRESS_RECORDS: "{n:record|records}, {rate}/s", "{n} 条，{rate} 条/秒";
    PROGRESS_CALLS: "{left} of {calls:call|calls} left per {per}", "每 {per} 剩余调用 {left}/{calls}";
    HELD_BY_LIMIT: "the call limit of `{account}` ({rate}), until {until}", "`{account}` 的调用限额（{rate}），至 {until}";
    HELD_BY_ENDPOINT: "the call limit of `{endpoint}` at `{account}` ({rate}), until {until}", "`{account}` 的接口 `{endpoint}` 的调用限额（{rate}），至 {until}";
    HELD_BY_SHARE: "the backfill's share of the call limit of `{account}` ({rate}), until {until}", "`{account}` 的调用限额中补读的份额（{rate}），至 {until}";
    HELD_BY_ENDPOINT_SHARE: "the backfill's share of the call limit of `{endpoint}` at `{account}` ({rate}), until {until}", "`{account}` 的接口 `{endpoint}` 的调用限额中补读的份额（{rate}），至 {until}";
    CALLS_UNDER_WAY: "calls under way", "进行中的调用";
    HELD_BY_RENEWAL: "the token of `{account}`, which is being renewed", "`{account}` 的令牌（正在刷新）";
    HELD_BY_VENDOR: "the pause that the vendor of `{account}` asks for, until {until}", "`{account}` 的厂商要求的暂停，至 {until}";
    PROGRESS_WAITS: "waits for {what}", "等待：{what}";
    PROGRESS_TO_GO: "about {time} to go", "约剩 {time}";

    // The reconciliation.
    ROW_RECORDS: "records read", "读取记录";
    ROW_NEW: "  new", "  新增";
    ROW_CHANGED: "  changed", "  变更";
    ROW_UNCHANGED: "  unchanged", "  未变";
    ROW_OLDER: "  older", "  旧版本";
    ROW_FILTERED: "  filtered", "  已过滤";
    ROW_REFUSED: "  refused", "  被拒绝";
    ROW_PENDING: "  waiting in the outbox", "  待投递";
    ROW_DOCUMENTS: "documents written", "写出单据";
    ROW_SLICES: "slices proved", "已证明切片";
    ROW_TOTAL: "vendor's total", "厂商总数";
    ROW_DISTINCT: "distinct keys read", "读取的不同主键";
    ROW_OPEN: "slices open", "未关闭切片";
    ROW_CALLS: "calls", "调用次数";
    ROW_TIME: "time", "用时";
    ROW_VERDICT: "verdict", "结论";
    NOT_GIVEN: "not given", "未提供";
    NOT_COUNTED: "not counted", "未计数";
    REASON: "  why: {reason}", "  原因：{reason}";
    OPEN_SLICE: "  open: {slice}: {why}", "  未关闭：{slice}：{why}";
    BESIDE: "  backfill, read beside: {proved:slice|slices} proved, {open} still open", "  同时进行的补读：已证明 {proved} 个切片，剩余 {open} 个";
    AND_MORE: "  and {n} more", "  另有 {n} 个";
    PLACE: "  documents: {place}", "  单据位置：{place}";
    ASSUMES: "  the proof rests on: {assumes}", "  证明的前提：{assumes}";
    PROMISE: "  delivery: {promise}", "  投递保证：{promise}";
    SEE_DEAD_LETTERS: "  refused records: milkrun dead-letters {flow}", "  被拒绝的记录：milkrun dead-letters {flow}";

    // Lists.
    COLUMN_CONNECTOR: "connector", "连接器";
    COLUMN_TITLE: "what it is", "说明";
    COLUMN_STREAMS: "streams", "数据流";
    COLUMN_TARGETS: "targets", "目标";
    COLUMN_QUOTA: "quota", "调用限额";
    COLUMN_STREAM: "stream", "数据流";
    COLUMN_KEY: "key", "主键";
    COLUMN_WINDOW: "window", "时间窗口";
    COLUMN_PAGE: "page", "每页";
    COLUMN_PROOF: "proof", "证明方式";
    COLUMN_TARGET: "target", "目标";
    COLUMN_BATCH: "batch", "每批";
    COLUMN_PROMISE: "promise", "投递保证";
    COLUMN_ACCOUNT: "account", "账户";
    COLUMN_STATE: "state", "状态";
    COLUMN_FLOW: "flow", "流程";
    COLUMN_VERDICT: "verdict", "结论";
    COLUMN_LAST_RUN: "last run", "上次运行";
    COLUMN_UP_TO: "read up to", "已读至";
    COLUMN_DELIVERED: "delivered", "已投递";
    COLUMN_OPEN: "open slices", "未关闭切片";
    COLUMN_PENDING: "pending", "待投递";
    COLUMN_DEAD: "dead letters", "死信";
    AS_CONFIGURED: "as configured", "按设置";
    NO_LIMIT: "no limit", "不限";
    READ_WHOLE: "read whole", "整体读取";
    NOTES: "notes", "注意";
    NO_STREAMS: "`{name}` has nothing to read.", "`{name}` 没有可读取的数据流。";
    NO_TARGETS: "`{name}` declares no target; a file account writes any target `x` to `x.jsonl`.", "`{name}` 没有声明目标；文件账户会把任意目标 `x` 写入 `x.jsonl`。";
    CONNECTORS_NEXT: "next: milkrun streams CONNECTOR; milkrun init --connector CONNECTOR", "下一步：milkrun streams 连接器；milkrun init --connector 连接器";
    NEVER_RUN: "never run", "从未运行";
    CUT_OFF: "cut off", "中断";
    RUNNING: "running: {who}", "运行中：{who}";
    OPEN_BACKFILL: "{flow}: a backfill from {from} to {until} is open, {n:slice is|slices are} left: milkrun backfill {flow}", "{flow}：补读 {from} 至 {until} 未完成，剩余 {n} 个切片：milkrun backfill {flow}";

    // `backfill`.
    BACKFILL_OPENED: "Flow `{flow}`: {n:slice|slices} from {from} to {until} will be read.", "流程 `{flow}`：将读取 {from} 至 {until} 的 {n} 个切片。";
    BACKFILL_CUT: "What is later may still change; the flow's own runs read it.", "更晚的内容仍可能变化，由流程自身的运行读取。";
    BACKFILL_LATER: "The next runs of the flow read them.", "流程之后的运行会读取它们。";
    NO_BACKFILL: "No backfill of flow `{flow}` is open: milkrun backfill {flow} --from DATE --to DATE", "流程 `{flow}` 没有未完成的补读：milkrun backfill {flow} --from 日期 --to 日期";
    NO_MOMENT: "`{text}` is no day and no instant", "`{text}` 不是日期，也不是时刻";
    NO_MOMENT_HELP: "write it like 2026-01-01, 2026-01-01 08:00:00 or 2026-01-01T08:00:00+08:00", "请写成 2026-01-01、2026-01-01 08:00:00 或 2026-01-01T08:00:00+08:00";

    // `preview`, `trace`, `dead-letters`.
    FATE_NEW: "new", "新增";
    FATE_CHANGED: "changed: an update", "有变更：更新";
    FATE_UNCHANGED: "unchanged: not sent", "未变：不发送";
    FATE_OLDER: "older than what was delivered: not sent", "早于已投递版本：不发送";
    FATE_FILTERED: "filtered: not sent", "被过滤：不发送";
    FATE_REFUSED: "refused: would be a dead letter", "被拒绝：将成为死信";
    SOURCE_RECORD: "source", "来源";
    DOCUMENT: "document", "单据";
    NOTHING_WRITTEN: "Nothing was written.", "未写入任何内容。";
    NO_RECORDS: "There are no records in the newest windows.", "最近的时间窗口内没有记录。";
    RECORD_NOT_FOUND: "no record `{id}` on the newest {pages:page|pages}", "在最近 {pages} 页中没有记录 `{id}`";
    RECORD_NOT_FOUND_HELP: "milkrun trace {id} looks among those already read", "milkrun trace {id} 可在已读取的记录中查找";
    NOTHING_READ_YET: "Nothing has been read yet.", "尚未读取任何数据。";
    NOT_FOUND: "No flow has delivered or refused a record with the key or number `{id}`.", "没有任何流程投递或拒绝过主键或单号为 `{id}` 的记录。";
    TRACED: "flow {flow}, key {key}", "流程 {flow}，主键 {key}";
    BY_RUN: "  by run {run}, begun {started}; which mapping it used is not known", "  由第 {run} 次运行投递（{started} 开始）；所用映射未知";
    BY_RUN_SAME: "  by run {run}, begun {started}, with mapping {mapping}, which is the one of now", "  由第 {run} 次运行投递（{started} 开始），映射 {mapping}，与当前相同";
    BY_RUN_OTHER: "  by run {run}, begun {started}, with mapping {mapping}; the documents below are made with the one of now, {now}", "  由第 {run} 次运行投递（{started} 开始），映射 {mapping}；下列单据按当前映射 {now} 生成";
    BY_RUN_UNKNOWN: "  by which run and with which mapping is not known: the history no longer has it, or it was sent outside a run, such as by `milkrun replay`", "  由哪次运行、用哪个映射投递未知：历史中已无该运行，或并非由运行投递，例如 `milkrun replay`";
    DELIVERED_AT: "  delivered at {at} (page {page})", "  投递时间 {at}（第 {page} 页）";
    REMOTE_ID: "  the target's id: {id}", "  目标系统编号：{id}";
    SENT_WITH_KEY: "  sent with the key {key}", "  幂等键：{key}";
    RECORD_NOT_KEPT: "the source record is not kept in the journal", "流水日志中没有保留来源记录";
    IN_DEAD_LETTERS: "In the dead letters of flow {flow}:", "在流程 {flow} 的死信中：";
    DEAD_LETTER: "{id}  key {key}", "{id}  主键 {key}";
    STAGE_KEY: "no usable key", "没有可用主键";
    STAGE_MAPPING: "refused by the mapping", "被映射拒绝";
    STAGE_TARGET: "refused by the target", "被目标拒绝";
    STAGE_UNKNOWN: "outcome not known", "结果未知";
    SINCE: "since", "时间";
    NO_DEAD_LETTERS: "Flow `{flow}` has no dead letters.", "流程 `{flow}` 没有死信。";
    MORE_LETTERS: "There are more than {limit}: --limit N", "不止这 {limit} 条：--limit N";
    REPLAY_NEXT: "next: mend the mapping or the target, then milkrun replay {flow}", "下一步：修正映射或目标系统，然后 milkrun replay {flow}";
    ARRIVED_NEXT: "where the outcome is not known: look in the target; if the document is there, milkrun dead-letters {flow} --arrived NUMBER", "结果未知的：请在目标系统中查看；若单据已存在，则 milkrun dead-letters {flow} --arrived 编号";
    ARRIVED: "Record {key} counts as delivered.", "记录 {key} 视为已送达。";
    NO_SUCH_LETTER: "flow `{flow}` has no dead letter {ids}", "流程 `{flow}` 没有死信 {ids}";
    LIST_LETTERS: "milkrun dead-letters {flow} lists them", "milkrun dead-letters {flow} 可列出全部";

    // `serve`, and what the console asks.
    SERVING: "serving {dir} with {flows:flow|flows} until Ctrl-C", "正在为 {dir} 提供服务，流程 {flows} 个，按 Ctrl-C 结束";
    CONSOLE_AT: "the console: {address}", "控制台：{address}";
    CANNOT_LISTEN: "nothing can listen at {address}", "无法在 {address} 监听";
    CHOOSE_ADDRESS: "choose another address with --listen, such as 127.0.0.1:0 for any free port", "请用 --listen 换一个地址，如 127.0.0.1:0 可任选空闲端口";
    NO_CLIENT: "no HTTP client could be set up", "无法建立 HTTP 客户端";
    NOBODY_ANSWERS: "nobody answers at {url}", "{url} 没有应答";
    NOBODY_ANSWERS_HELP: "check whether `milkrun serve` is running, and where it says its console is", "请检查 `milkrun serve` 是否在运行，以及它给出的控制台地址";
    IS_WELL: "{url}: all is well", "{url}：一切正常";
    IS_NOT_WELL: "{url}: not well; `milkrun doctor` says what is wrong", "{url}：不正常；`milkrun doctor` 会说明原因";
    FLOW_RUNS: "flow `{flow}` is running already", "流程 `{flow}` 正在运行";
    FLOW_RUNS_HELP: "wait until the run has ended, or cancel it", "请等待本次运行结束，或将其取消";
    FLOW_DOES_NOT_RUN: "flow `{flow}` is not running", "流程 `{flow}` 没有在运行";
    FLOW_RUNS_ELSEWHERE: "flow `{flow}` is being run by {who}", "流程 `{flow}` 正由 {who} 运行";
    FLOW_RUNS_ELSEWHERE_HELP: "end it there, such as with Ctrl-C", "请在该处结束它，例如按 Ctrl-C";
    FLOW_DOES_NOT_RUN_HELP: "there is nothing to cancel", "没有可取消的运行";
    FLOW_HAS_MISTAKES: "flow `{flow}` has mistakes in its files", "流程 `{flow}` 的文件有误";
    MEND_FILES: "mend the file; it is used at once", "请修改文件，修改后立即生效";
    NO_SUCH_RUN: "flow `{flow}` has no run {number}", "流程 `{flow}` 没有第 {number} 次运行";
    NO_SUCH_PAGE: "page {number} of flow `{flow}` is not there", "流程 `{flow}` 的第 {number} 页不存在";
    PAGE_NEVER_READ: "the flow has read nothing yet", "该流程还没有读取过任何内容";
    PAGE_NOT_KEPT: "pages are kept as long as `[retention]` says, and not at all with `journal = false`", "页面按 `[retention]` 的设置保留；设置 `journal = false` 时不保留";
    BAD_TARGET_PATH: "`{target}` is not the path of a field", "`{target}` 不是字段的路径";
    TARGET_PATH_FORM: "write names joined by `.`, with `[*]` for every element of a list: `lines[*].qty`", "请用 `.` 连接名称，列表的每个元素写 `[*]`：`lines[*].qty`";
    BAD_SOURCE_PATH: "what is to fill `{target}` is not the path of a field", "要填入 `{target}` 的不是字段的路径";
    PATH_FORM: "write names joined by `.`, with `[*]` for every element of a list: `items[*].count`", "请用 `.` 连接名称，列表的每个元素写 `[*]`：`items[*].count`";
    FIELD_IS_TAKEN: "another rule stands where `{target}` would have to be", "`{target}` 的位置上已有另一条规则";
    FIELD_IS_TAKEN_HELP: "remove that rule first, or change the text", "请先删除那条规则，或直接修改文本";
    TRANSFORM_IS_WHOLE: "the mapping makes whole documents by `transform`, so `{target}` has no rule of its own", "该映射用 `transform` 生成整张单据，`{target}` 没有单独的规则";
    TRANSFORM_IS_WHOLE_HELP: "change the expression in the text", "请在文本中修改表达式";
    NO_LIST_KNOWN: "`{target}` is in a list, and it is not said which list of the source its lines come from", "`{target}` 位于列表中，但没有说明各行来自哪个来源列表";
    NO_LIST_KNOWN_HELP: "begin with a field of that list of the source", "请先从该来源列表中的一个字段开始";
    MEND_TEXT_FIRST: "mend the text first; the list of mistakes says where", "请先改正文本，位置见错误列表";
    MEND_TEXT: "mend the text and save it again; nothing was changed", "请改正文本后重新保存；没有做任何更改";
    RULE_FORM: "write a rule as TOML, such as `{ from = \"created\", type = \"date\" }`", "请用 TOML 写规则，如 `{ from = \"created\", type = \"date\" }`";
    FILE_MOVED: "the file of flow `{flow}` has changed since this text was made from it", "流程 `{flow}` 的文件在此文本生成之后已被更改";
    FILE_MOVED_HELP: "load it again and make the change once more", "请重新载入后再修改";
    SETTINGS_MOVED: "`milkrun.toml` has changed since this was made from it", "`milkrun.toml` 在此之后已被更改";
    INCLUDED_NOT_EDITABLE: "flow `{flow}` includes the metadata of another platform, which is not changed here", "流程 `{flow}` 引用了其他平台的元数据，不能在此修改";
    INCLUDED_NOT_EDITABLE_HELP: "change the metadata, or turn it into a flow with `milkrun import`", "请修改元数据，或用 `milkrun import` 把它转换为流程";
    WAITS: "read on page {page}; waits for its delivery", "在第 {page} 页读取，等待投递";
    WAITS_FOR_OUTCOME: "read on page {page}; sent, and what became of it is found out before anything else is sent", "在第 {page} 页读取；已发送但结果未知，查清之前不会再发送";

    // `sandbox`.
    SANDBOX_RUNS: "A simulated {vendor} answers at {url}", "模拟的{vendor}运行于 {url}";
    SANDBOX_CONTROL: "It is looked at and changed at {url}/stats, /clock, /faults, /session, /change, /truth", "可在 {url}/stats、/clock、/faults、/session、/change、/truth 查看和更改";
    SANDBOX_ACCOUNT: "An account for it in milkrun.toml:", "在 milkrun.toml 中使用的账户：";
    SANDBOX_UNTIL: "It runs until Ctrl-C.", "按 Ctrl-C 结束。";
    CHOOSE_PORT: "choose another port, or 0 for any free one", "请换一个端口，或用 0 任选";
    NO_SUCH_FAULT: "no fault is called `{name}`", "没有名为 `{name}` 的故障";
    BAD_FAULT: "`{part}` is not of the form key=value", "`{part}` 不是 键=值 的形式";
    FAULT_FORM: "write NAME,every=N or NAME,next=N, with method=… for one method; drift takes rows and stop_after, vendor-code takes code, http-status takes status, slow takes delay_ms", "请写 名称,every=N 或 名称,next=N，可加 method=…；drift 可用 rows 和 stop_after，vendor-code 可用 code，http-status 可用 status，slow 可用 delay_ms";
    BAD_LIMIT: "`{value}` is not a limit", "`{value}` 不是限额";
    LIMIT_FORM: "write CALLS/TIME, such as 15/1s or 100/1m, or none", "请写 次数/时长，如 15/1s 或 100/1m，或 none";

    // `init`.
    MADE: "made {file}", "已创建 {file}";
    KEPT: "kept {file}", "保留 {file}";
    INIT_NEXT: "next: fill in milkrun.toml, then milkrun check; milkrun init --connector CONNECTOR writes an example for a vendor", "下一步：填写 milkrun.toml，然后 milkrun check；milkrun init --connector 连接器 可写出某个厂商的示例";
    INIT_NEXT_FLOW: "next: fill in milkrun.toml, take `.off` from the name of the example in flows/, then milkrun check", "下一步：填写 milkrun.toml，去掉 flows/ 中示例文件名里的 `.off`，然后 milkrun check";
    INIT_ADD_ACCOUNTS: "milkrun.toml was there already and stays as it is; the example needs this in it:\n\n{accounts}", "milkrun.toml 已存在，保持不变；示例还需要其中有：\n\n{accounts}";

    // `demo`.
    DEMO_SANDBOX: "A simulated Kuaimai with {orders} orders and {items} items answers at {url}.", "模拟的快麦已启动：订单 {orders} 个，商品 {items} 个，地址 {url}。";
    DEMO_WRITTEN: "An installation to learn from is in {dir}: milkrun.toml, flows/orders.toml, flows/items.toml.", "示例已写入 {dir}：milkrun.toml、flows/orders.toml、flows/items.toml。";
    SCENE_WRITTEN: "An installation to learn from is in {dir}: milkrun.toml and {flow}.", "示例已写入 {dir}：milkrun.toml 和 {flow}。";
    SCENE_RECEIVED: "{vendor} counts: {keys:key|keys}, {documents:document|documents}, {doubled} doubled, in {calls:call|calls}", "{vendor}统计：键 {keys} 个，单据 {documents} 张，重复 {doubled} 张，调用 {calls} 次";
    DEMO_FOREIGN: "the folder {dir} is not empty and was not made by a demo", "文件夹 {dir} 不为空，也不是演示创建的";
    DEMO_FOREIGN_HELP: "name another folder: milkrun demo --dir FOLDER", "请指定其他文件夹：milkrun demo --dir 文件夹";
    DEMO_NEXT: "next: read {dir}/flows/orders.toml and {dir}/out/orders.jsonl; ask what became of an order: milkrun --dir {dir} trace {order}; begin your own: milkrun init --connector kuaimai --dir my-company", "下一步：查看 {dir}/flows/orders.toml 和 {dir}/out/orders.jsonl；追踪一个订单：milkrun --dir {dir} trace {order}；开始您自己的：milkrun init --connector kuaimai --dir my-company";

    // Headings of the help.
    NO_SUCH_COMMAND: "there is no command `{name}`", "没有 `{name}` 这个命令";
    MISSING_COMMAND: "`{name}` needs a command", "`{name}` 需要一个命令";
    NO_SUCH_ARGUMENT: "there is no argument `{name}`", "没有 `{name}` 这个参数";
    NO_VALUE: "`{name}` needs a value", "`{name}` 需要一个值";
    BAD_ARGUMENT: "`{name}` cannot be `{value}`", "`{name}` 不能为 `{value}`";
    BAD_ARGUMENT_WHY: "`{name}` cannot be `{value}`: {why}", "`{name}` 不能为 `{value}`：{why}";
    TWICE: "`{name}` can be given only once", "`{name}` 只能给出一次";
    NOT_TOGETHER: "`{name}` cannot stand together with `{other}`", "`{name}` 不能与 `{other}` 同时使用";
    MISSING_ARGUMENTS: "this is missing: {names}", "缺少：{names}";
    TRY_HELP: "`--help` says more", "更多说明见 `--help`";
    HELP_USAGE: "Usage:", "用法：";
    HELP_COMMANDS: "Commands", "命令";
    HELP_OPTIONS: "Options", "选项";
    HELP_ARGUMENTS: "Arguments", "参数";
    HELP_PRINT: "Prints this help", "显示帮助";
    VERSION_PRINT: "Prints the version", "显示版本";
}
