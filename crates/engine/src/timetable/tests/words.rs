//! Timetables in words.

use super::tables::{in_zone, table};

#[test]
fn words_say_what_the_timetable_does() {
    let cases = [
        ("*/5 * * * *", "every 5 minutes", "每 5 分钟"),
        ("0 */5 * * * ?", "every 5 minutes", "每 5 分钟"),
        ("0 0/10 * * * ?", "every 10 minutes", "每 10 分钟"),
        ("* * * * *", "every minute", "每分钟"),
        ("* * * * * ?", "every second", "每秒"),
        ("*/10 * * * * ?", "every 10 seconds", "每 10 秒"),
        ("30 * * * * ?", "every minute, at second 30", "每分钟第 30 秒"),
        ("3 2 * * *", "every day at 02:03", "每天 02:03"),
        ("30 3 2 * * ?", "every day at 02:03:30", "每天 02:03:30"),
        ("0 2,14 * * *", "every day at 02:00 and 14:00", "每天 02:00、14:00"),
        ("0 0 2 ? * MON-FRI", "at 02:00, Monday to Friday", "周一至周五 02:00"),
        ("0 0 2 ? * SAT,SUN", "at 02:00, Saturday and Sunday", "周六、周日 02:00"),
        ("0 9 * * 5-7", "at 09:00, Friday to Sunday", "周五至周日 09:00"),
        ("0 0 9 ? * 1,3,5", "at 09:00, Tuesday, Thursday and Sunday", "周二、周四、周日 09:00"),
        ("15 * * * *", "every hour at minute 15", "每小时第 15 分"),
        ("5 30 * * * ?", "every hour at minute 30 and second 5", "每小时第 30 分 5 秒"),
        ("0 */2 * * *", "every 2 hours at minute 0", "每 2 小时第 0 分"),
        ("5/25 * * * *", "every hour at minute 5, 30 and 55", "每小时第 5、30、55 分"),
        (
            "*/30 9-18 * * 1-5",
            "every 30 minutes in the hours 09 to 18, Monday to Friday",
            "周一至周五 9至18 时每 30 分钟",
        ),
        ("* */3 * * *", "every minute of every third hour", "每 3 小时内每分钟"),
        ("0 0 0 L * ?", "at 00:00, on the last day of the month", "每月最后一天 00:00"),
        ("0 0 9 LW * ?", "at 09:00, on the last of the month from Monday to Friday", "每月最后一个周一至周五 09:00"),
        (
            "0 0 9 15W * ?",
            "at 09:00, on the day from Monday to Friday nearest to day 15 of the month",
            "每月最接近 15 日的周一至周五 09:00",
        ),
        ("0 15 10 ? * 6L", "at 10:15, on the last Friday of the month", "每月最后一个周五 10:15"),
        ("0 0 8 ? * 2#1", "at 08:00, on the first Monday of the month", "每月第一个周一 08:00"),
        ("3 2 1,15 * *", "at 02:03, on day 1 and 15 of the month", "每月 1、15 日 02:03"),
        ("0 0 13 * 5", "at 00:00, on day 13 of the month or Friday", "每月 13 日或周五 00:00"),
        ("30 1 * 3,10 *", "every day at 01:30, in March and October", "3、10 月，每天 01:30"),
        ("0 0 12 1 1 ? 2027", "at 12:00, on day 1 of the month, in January, in 2027", "2027 年，1 月，1 日 12:00"),
        ("@daily", "every day at 00:00", "每天 00:00"),
        ("@weekly", "at 00:00, Sunday", "周日 00:00"),
    ];
    for (text, en, zh) in cases {
        let words = table(text).words();
        assert_eq!((words.en.as_str(), words.zh.as_str()), (en, zh), "{text}");
    }
    let words = in_zone("0 2 * * *", "Europe/Berlin").words();
    assert_eq!(words.en, "every day at 02:00 (Europe/Berlin)");
    assert_eq!(words.zh, "每天 02:00（Europe/Berlin）");
}
