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

    NOTHING_TO_DECLARE: "connector `{connector}` takes no `{list}` of one's own", "连接器 `{connector}` 不支持自定义 `{list}`";
    // Tables.
    BAD_TABLE: "the table `{name}` needs one of `values`, `file` and `flow`", "表 `{name}` 需要 `values`、`file`、`flow` 三者之一";
    TABLE_FORM: "write values = { S1 = \"0518\" }, file = \"codes.csv\", or flow = \"vendors\"", "请写 values = { S1 = \"0518\" }、file = \"codes.csv\" 或 flow = \"vendors\"";
    BAD_TABLE_VALUE: "the value of `{key}` is no text, whole number, true or false", "`{key}` 的值不是文本、整数或布尔值";
    TABLE_VALUE_FORM: "write decimals and dates as text, in quotes", "小数和日期请写成带引号的文本";
    TABLE_UNREADABLE: "the table `{name}` cannot be used: {cause}", "无法使用表 `{name}`：{cause}";

    // Import.
    FILE_IS_THERE: "{file} is there already", "{file} 已存在";
    FILE_IS_THERE_HELP: "name another file with `--out`, or write over it with `--force`", "请用 `--out` 指定其他文件，或用 `--force` 覆盖";
    IMPORTED_KEYS: "keys: {carried} carried over, {translated} translated, {decisions} need a decision (see above)", "键：原样保留 {carried} 个，转换 {translated} 个，需决定 {decisions} 个（见上）";
    IMPORT_NEXT: "next: declare the accounts {accounts} in milkrun.toml, read the flow, then `milkrun check` and `milkrun preview`", "下一步：在 milkrun.toml 中声明账户 {accounts}，阅读该流程，然后运行 `milkrun check` 和 `milkrun preview`";
    BAD_INCLUDE: "`include` has to name the metadata", "`include` 应指明元数据文件";
    INCLUDE_FORM: "write include = { qeasy = [\"source.json\", \"target.json\"] }, relative to this file", "请写 include = { qeasy = [\"source.json\", \"target.json\"] }，路径相对于本文件";
    INCLUDED_UNREADABLE: "{file} cannot be used: {cause}", "无法使用 {file}：{cause}";
    INCLUDED_DECISIONS: "{n} keys of the metadata need a decision", "元数据中有 {n} 个键需要决定";
    INCLUDED_DECISIONS_HELP: "`{command}` lists them; what this file says itself counts", "`{command}` 会列出它们；以本文件所写为准";

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
    NO_SCHEDULE: "`schedule` is not a timetable: \"{value}\"", "`schedule` 不是时间表：\"{value}\"";
    SCHEDULE_FORM: "write five fields (minute hour day month weekday) or six with seconds first: \"0 */5 * * * ?\"", "请写五个字段（分 时 日 月 周）或六个字段（秒在前）：\"0 */5 * * * ?\"";
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
    RESTART_FILE: "{flow}: everything is read again; the file of target `{target}` is set aside, replaced or refused as its setting `on_existing` says, and written anew.", "{flow}：将全部重新读取；目标 `{target}` 的文件按 `on_existing` 设置另存、替换或拒绝，然后重新写入。";
    RESTART_KEY: "{flow}: everything is read and sent again with the same keys; target `{target}` answers with its first result as long as it remembers them.", "{flow}：将全部重新读取并以相同的幂等键重新发送；在目标 `{target}` 记得这些键的期限内，会返回首次结果。";
    RESTART_UPSERT: "{flow}: everything is read and sent again; target `{target}` replaces the documents it has.", "{flow}：将全部重新读取并发送；目标 `{target}` 会替换已有单据。";
    RESTART_UNIQUE: "{flow}: everything is read and sent again; target `{target}` refuses what it has, and it is looked up.", "{flow}：将全部重新读取并发送；目标 `{target}` 会拒绝已有单据，随后查询原单。";
    RESTART_DOUBLES: "{flow}: everything is read and sent again, and target `{target}` CANNOT KEEP IT FROM ARRIVING TWICE.", "{flow}：将全部重新读取并发送，目标 `{target}` 无法避免重复单据！";
    RESTART_QUESTION: "Begin anew? [y/N]", "确定重新开始吗？[y/N]";
    RESTART_NEEDS_YES: "`--restart` asks before it forgets, and nobody is there to answer", "`--restart` 需要确认，但当前无人应答";
    ADD_YES: "add --yes if that is what you want", "若确实需要，请加上 --yes";
    NOTHING_DONE: "Nothing was done.", "未执行任何操作。";
    STOPPING: "Ending in good order; what is committed stays, and the next run goes on from there. Ctrl-C again ends at once, which loses nothing either.", "正在有序结束；已提交的内容会保留，下次运行从这里继续。再按一次 Ctrl-C 立即结束，同样不会丢失数据。";
    STOPPED_HARD: "Ended at once. The next run goes on by itself where the last commit was.", "已立即结束。下次运行会自动从最后一次提交处继续。";
    FLOW_DID_NOT_BEGIN: "Flow `{flow}` did not run:", "流程 `{flow}` 未能运行：";
    PROGRESS_RECORDS: "{n} records, {rate}/s", "{n} 条，{rate} 条/秒";
    PROGRESS_CALLS: "{left} calls left", "剩余调用 {left}";
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
    REASON: "  why: {reason}", "  原因：{reason}";
    OPEN_SLICE: "  open: {slice}: {why}", "  未关闭：{slice}：{why}";
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
    RECORD_NOT_FOUND: "no record `{id}` on the newest {pages} pages", "在最近 {pages} 页中没有记录 `{id}`";
    RECORD_NOT_FOUND_HELP: "milkrun trace {id} looks among those already read", "milkrun trace {id} 可在已读取的记录中查找";
    NOTHING_READ_YET: "Nothing has been read yet.", "尚未读取任何数据。";
    NOT_FOUND: "No flow has delivered or refused a record with the key or number `{id}`.", "没有任何流程投递或拒绝过主键或单号为 `{id}` 的记录。";
    TRACED: "flow {flow}, key {key}", "流程 {flow}，主键 {key}";
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
    PERHAPS_MORE: "There may be more than these {limit}: --limit N", "可能不止这 {limit} 条：--limit N";
    REPLAY_NEXT: "next: mend the mapping or the target, then milkrun replay {flow}", "下一步：修正映射或目标系统，然后 milkrun replay {flow}";
    ARRIVED_NEXT: "where the outcome is not known: look in the target; if the document is there, milkrun dead-letters {flow} --arrived NUMBER", "结果未知的：请在目标系统中查看；若单据已存在，则 milkrun dead-letters {flow} --arrived 编号";
    ARRIVED: "Record {key} counts as delivered.", "记录 {key} 视为已送达。";
    NO_SUCH_LETTER: "flow `{flow}` has no dead letter {ids}", "流程 `{flow}` 没有死信 {ids}";
    LIST_LETTERS: "milkrun dead-letters {flow} lists them", "milkrun dead-letters {flow} 可列出全部";

    // `sandbox`.
    SANDBOX_RUNS: "A simulated {vendor} answers at {url}", "模拟的{vendor}运行于 {url}";
    SANDBOX_CONTROL: "It is looked at and changed at {url}/stats, /clock, /faults, /session, /change, /truth", "可在 {url}/stats、/clock、/faults、/session、/change、/truth 查看和更改";
    SANDBOX_ACCOUNT: "An account for it in milkrun.toml:", "在 milkrun.toml 中使用的账户：";
    SANDBOX_UNTIL: "It runs until Ctrl-C.", "按 Ctrl-C 结束。";
    CHOOSE_PORT: "port {port} may be taken: choose another, or 0 for any free one", "端口 {port} 可能被占用：请换一个，或用 0 任选";
    NO_SUCH_FAULT: "no fault is called `{name}`", "没有名为 `{name}` 的故障";
    BAD_FAULT: "`{part}` is not of the form key=value", "`{part}` 不是 键=值 的形式";
    FAULT_FORM: "write NAME,every=N or NAME,next=N, with method=… for one method; drift takes rows and stop_after, vendor-code takes code, http-status takes status, slow takes delay_ms", "请写 名称,every=N 或 名称,next=N，可加 method=…；drift 可用 rows 和 stop_after，vendor-code 可用 code，http-status 可用 status，slow 可用 delay_ms";
    BAD_LIMIT: "`{value}` is not a limit", "`{value}` 不是限额";
    LIMIT_FORM: "write CALLS/TIME, such as 15/1s or 100/1m, or none", "请写 次数/时长，如 15/1s 或 100/1m，或 none";

    // `init`.
    MADE: "made {file}", "已创建 {file}";
    KEPT: "kept {file}", "保留 {file}";
    INIT_NEXT: "next: fill in milkrun.toml, then milkrun check", "下一步：填写 milkrun.toml，然后 milkrun check";

    // `demo`.
    DEMO_SANDBOX: "A simulated Kuaimai with {orders} orders and {items} items answers at {url}.", "模拟的快麦已启动：订单 {orders} 个，商品 {items} 个，地址 {url}。";
    DEMO_WRITTEN: "An installation to learn from is in {dir}: milkrun.toml, flows/orders.toml, flows/items.toml.", "示例已写入 {dir}：milkrun.toml、flows/orders.toml、flows/items.toml。";
    SCENE_WRITTEN: "An installation to learn from is in {dir}: milkrun.toml and {flow}.", "示例已写入 {dir}：milkrun.toml 和 {flow}。";
    SCENE_RECEIVED: "{vendor} counts: {keys} keys, {documents} documents, {doubled} doubled, in {calls} calls", "{vendor}统计：键 {keys} 个，单据 {documents} 张，重复 {doubled} 张，调用 {calls} 次";
    DEMO_FOREIGN: "the folder {dir} is not empty and was not made by a demo", "文件夹 {dir} 不为空，也不是演示创建的";
    DEMO_FOREIGN_HELP: "name another folder: milkrun demo --dir FOLDER", "请指定其他文件夹：milkrun demo --dir 文件夹";
    DEMO_NEXT: "next: read {dir}/flows/orders.toml and {dir}/out/orders.jsonl; ask what became of an order: milkrun --dir {dir} trace {order}; begin your own: milkrun init --connector kuaimai --dir my-company", "下一步：查看 {dir}/flows/orders.toml 和 {dir}/out/orders.jsonl；追踪一个订单：milkrun --dir {dir} trace {order}；开始您自己的：milkrun init --connector kuaimai --dir my-company";

    // Headings of the help.
    HELP_USAGE: "Usage:", "用法：";
    HELP_COMMANDS: "Commands", "命令";
    HELP_OPTIONS: "Options", "选项";
    HELP_ARGUMENTS: "Arguments", "参数";
    HELP_PRINT: "Prints this help", "显示帮助";
    VERSION_PRINT: "Prints the version", "显示版本";
}
