//! The Chinese help of the command line; the English one stands beside the arguments in `cli.rs`.

use clap::Command;
use clap::builder::Resettable;

/// For each command and argument, what it does: `run` is a command, `run --all` or `run FLOW` an argument of it.
const HELP: &[(&str, &str)] = &[
    ("", "在 ERP 之间搬运业务单据，并证明不丢、不重。"),
    ("--dir", "安装所在的文件夹，内有 `milkrun.toml` 和 `flows/`。"),
    ("--lang", "消息语言；默认取自 LC_ALL、LC_MESSAGES 或 LANG。"),
    ("--json", "在标准输出写一个 JSON 文档代替文本；进度和日志写到标准错误。"),
    ("--verbose", "更多日志：一次为信息，两次为调试，三次为全部。"),
    ("--log-level", "记录此级别及以上的日志。"),
    ("--log-json", "把每次调用厂商接口追加为此文件中的一行 JSON；绝不含密钥。"),
    ("--no-color", "不使用颜色。"),
    ("--no-progress", "不显示进度。"),
    ("demo", "半分钟看完整个过程：模拟的快麦、两个流程以及对账结果。"),
    (
        "demo --flow",
        "改为演示两个模拟厂商之间的一个流程：快麦采购单到用友、聚水潭订单到 T+、T+ 存货保存在本机，或 JSON 文件中的客户到由配置描述的接口。",
    ),
    ("demo --orders", "模拟的快麦有多少订单。"),
    ("demo --items", "有多少商品。"),
    ("demo --seed", "决定其全部数据。"),
    ("init", "把文件夹变成安装：`milkrun.toml`、`flows/` 和保险库的密钥。"),
    ("init --connector", "为此连接器写一个示例账户和一个示例流程；可多次给出。"),
    ("init --key", "保险库密钥的存放处：文件 `milkrun.key`，或系统密钥环。"),
    ("connectors", "列出本程序支持的厂商。"),
    ("streams", "列出账户或连接器可读取的数据流。"),
    ("streams ACCOUNT", "`milkrun.toml` 中的账户，或连接器的名称。"),
    ("targets", "列出账户或连接器可写入的目标。"),
    ("targets ACCOUNT", "`milkrun.toml` 中的账户，或连接器的名称。"),
    ("check", "一次列出所有文件中的所有错误，然后验证每个账户的凭据。"),
    ("check --offline", "只读文件：不取密钥，不调用厂商。"),
    ("preview", "显示流程将投递什么，不写入任何内容。"),
    ("preview FLOW", "流程。"),
    ("preview --limit", "显示多少条记录。"),
    ("preview --record", "显示主键或单号为此值的记录。"),
    ("run", "运行流程一次：读取、映射、投递，并证明没有遗漏。从上次结束处继续。"),
    ("run FLOW", "流程；多个流程并行运行。"),
    ("run --all", "运行全部流程。"),
    ("run --restart", "忘记已读取和已投递的内容，重新开始；会先说明这对目标意味着什么。"),
    ("run --yes", "对 `--restart` 的提问回答“是”。"),
    ("serve", "按时间表无人值守地运行流程，并提供控制台。"),
    ("serve --listen", "控制台的监听地址；代替 `[console] listen`。"),
    ("serve --no-console", "不提供控制台。"),
    (
        "backfill",
        "在账户限额的一定份额内，重新读取或首次读取过去的一段时间；目标已有的不会再次发送。不给出时间段则继续此前未读完的部分。",
    ),
    ("backfill FLOW", "流程。"),
    ("backfill --from", "第一天或起始时刻：`2026-01-01`，数据流时区的 `2026-01-01 08:00:00`，或带时区偏移的时刻。"),
    ("backfill --to", "不再读取的第一天或时刻；不给出则读到现在。"),
    ("backfill --share", "可使用来源账户每项限额的百分之几。"),
    ("backfill --later", "现在不读取：流程之后的运行会在读取自身内容的同时读取这段时间。"),
    ("health", "询问该安装的控制台是否一切正常；不正常则以 1 结束。"),
    ("health --address", "控制台的地址；代替 `[console] listen`。"),
    ("status", "显示每个流程的进展。"),
    ("trace", "显示一条记录的去向：在哪里读取，投递到哪里。"),
    ("trace ID", "记录的主键，或人们使用的单号。"),
    ("trace --flow", "只在此流程中查找。"),
    ("dead-letters", "列出流程中被拒绝的记录及原因。"),
    ("dead-letters FLOW", "流程。"),
    ("dead-letters --limit", "列出多少条。"),
    ("dead-letters --full", "同时显示每条的来源文本。"),
    ("dead-letters --arrived", "声明该编号的记录（结果未知）已按所示内容到达目标系统。"),
    ("dead-letters --remote-id", "该单据在目标系统中的编号，以便之后的变更能送达。"),
    ("replay", "修正映射或目标后，重新发送被拒绝的记录。"),
    ("replay FLOW", "流程。"),
    ("replay NUMBER", "死信的编号；不给出则为全部。"),
    ("alerts", "通知相关人员：测试通道，列出当前和历史告警。"),
    ("alerts test", "向一个通道或全部通道发送测试消息，免打扰时段内也发送。"),
    ("alerts test CHANNEL", "`milkrun.toml` 中的通道；不给出则为全部。"),
    ("alerts list", "列出告警：未恢复的在前，其余按时间从新到旧。"),
    ("alerts list --limit", "列出多少条。"),
    ("backup", "复制整个安装（状态、页、设置），流程可同时运行。"),
    ("backup TO", "尚不存在的文件夹，或 `.tar.zst` 文件。"),
    ("restore", "把备份还原为安装。"),
    ("restore FROM", "`milkrun backup` 生成的文件或文件夹。"),
    ("restore --force", "替换已有的状态；原状态会移到一旁。"),
    ("retain", "按 `[retention]` 忘记过期的内容，并说明忘记了什么。"),
    ("retain --dry-run", "只说明将会忘记什么。"),
    ("doctor", "检查状态、时钟、磁盘、账户、文件和流程，并说明如何处理。"),
    ("doctor --offline", "不联网：不向厂商主机询问时间。"),
    ("sandbox", "在本机模拟一个厂商，供试用。"),
    ("sandbox VENDOR", "厂商，以其连接器命名。"),
    ("sandbox --port", "127.0.0.1 上的端口；0 为任意空闲端口。"),
    ("sandbox --orders", "有多少订单。"),
    ("sandbox --items", "有多少商品。"),
    ("sandbox --documents", "有多少采购单；其他库存单据由此而来。"),
    ("sandbox --seed", "决定其全部数据。"),
    ("sandbox --limit", "代替厂商限额的调用限额，如 `100/1m`；可多次给出。`none` 为不限。"),
    ("sandbox --jitter", "在途时间随机增加的最大毫秒数。"),
    ("sandbox --latency", "每次调用在途的毫秒数。"),
    (
        "sandbox --fault",
        "故障，如 `html`、`drift,rows=3` 或 `truncated,every=7,method=erp.trade.list.query`；可多次给出。",
    ),
    ("secret", "在加密的保险库中保存密钥。"),
    ("secret set", "保存一个密钥；从终端读取且不显示，或从标准输入读取。"),
    ("secret set NAME", "设置中引用的名称：`{ vault = \"NAME\" }`。"),
    ("secret list", "列出所有密钥的名称，绝不显示密钥。"),
    ("secret remove", "删除一个密钥。"),
    ("secret remove NAME", "设置中引用的名称：`{ vault = \"NAME\" }`。"),
    ("import", "把其他平台的元数据转换为流程，并说明每个键的去向。"),
    ("import qeasy", "轻易云的元数据：来源侧一个 JSON 文件，目标侧一个 JSON 文件。"),
    ("import qeasy SOURCE", "来源侧的 JSON。"),
    ("import qeasy TARGET", "目标侧的 JSON；不给出则记录原样写入文件。"),
    ("import qeasy --out", "要写的流程文件，如 `flows/stock.toml`。"),
    ("import qeasy --account", "读取的账户；默认按连接器取名。"),
    ("import qeasy --sink-account", "写入的账户。"),
    ("import qeasy --since", "从何时开始读取，如 `2026-01-01`；默认为今天。"),
    ("import qeasy --force", "覆盖已存在的文件。"),
    ("console", "为浏览器中的控制台做准备。"),
    ("console password", "询问密码，并输出其哈希，供 `[console.users.名称]` 使用；无人输入时从标准输入读取。"),
    ("login", "在浏览器中为账户授权：打印厂商的链接，并接收授权码。"),
    ("login ACCOUNT", "`milkrun.toml` 中的账户，或仅有一个账户使用的连接器。"),
    ("login --link", "只打印链接。"),
    ("receive", "接收厂商主动推送的消息（如应用票据），按 Ctrl-C 结束。"),
    ("receive --listen", "监听地址；账户的消息到达 `/push/ACCOUNT`。"),
    ("sign", "按厂商调用的方式为标准输入中的 JSON 对象签名，用于与厂商调试工具核对。"),
    ("sign CONNECTOR", "连接器。"),
    ("sign --method", "签名方法（厂商有多种时）；代替对象中的 `sign_method`。"),
    ("schema", "打印文件的 JSON Schema，供编辑器补全。"),
    ("schema OF", "哪种文件。"),
    ("completions", "打印 shell 的补全脚本。"),
    ("completions SHELL", "shell。"),
];

/// The Chinese help of a command or an argument.
fn find(path: &str) -> Option<&'static str> {
    HELP.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
}

/// How [`HELP`] calls an argument of the command at `path`; global flags have no path.
fn name_of(path: &str, argument: &clap::Arg) -> String {
    let own = match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => argument.get_value_names().map_or_else(String::new, |names| names[0].to_string()),
    };
    if path.is_empty() || argument.is_global_set() { own } else { format!("{path} {own}") }
}

/// Puts the Chinese texts in the place of the English ones.
pub(crate) fn translate(command: Command) -> Command {
    translate_at(command, "")
}

fn translate_at(mut command: Command, path: &str) -> Command {
    if let Some(text) = find(path) {
        command = command.about(text).long_about(Resettable::Reset);
    }
    command = command.mut_args(|argument| match find(&name_of(path, &argument)) {
        Some(text) => argument.help(text).long_help(Resettable::Reset),
        None => argument,
    });
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for name in names {
        let below = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(name, |c| translate_at(c, &below));
    }
    command
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn names(command: &Command, path: &str, all: &mut Vec<String>) {
        all.push(path.to_owned());
        let built_in = |argument: &&clap::Arg| !["help", "version"].contains(&argument.get_id().as_str());
        all.extend(command.get_arguments().filter(built_in).map(|argument| name_of(path, argument)));
        for below in command.get_subcommands() {
            let below_path =
                if path.is_empty() { below.get_name().to_owned() } else { format!("{path} {}", below.get_name()) };
            names(below, &below_path, all);
        }
    }

    #[test]
    fn everything_has_chinese_help_and_nothing_else_has() {
        let mut all = Vec::new();
        names(&crate::cli::Cli::command(), "", &mut all);
        let missing: Vec<_> = all.iter().filter(|name| find(name).is_none()).collect();
        assert!(missing.is_empty(), "without Chinese help: {missing:?}");
        let stale: Vec<_> = HELP.iter().filter(|(name, _)| !all.iter().any(|n| n == name)).collect();
        assert!(stale.is_empty(), "no such argument: {stale:?}");
    }
}
