package Draft::Class;

# A suggestion of the class of a code, from words of its row and its status.
# INTERNAL is nobody's fault but the vendor's: only a person says so.

use strict;
use warnings;
use utf8;

use Exporter qw(import);

our @EXPORT = qw(suggest_class);

# these statuses decide; the words of the row decide about others

my %exact = (401 => 'UNAUTHENTICATED', 404 => 'NOT_FOUND', 405 => 'UNIMPLEMENTED',
             408 => 'DEADLINE_EXCEEDED', 410 => 'NOT_FOUND',
             412 => 'FAILED_PRECONDITION', 413 => 'INVALID_ARGUMENT',
             415 => 'INVALID_ARGUMENT', 416 => 'OUT_OF_RANGE',
             429 => 'RESOURCE_EXHAUSTED', 499 => 'CANCELLED',
             501 => 'UNIMPLEMENTED', 502 => 'UNAVAILABLE', 503 => 'UNAVAILABLE',
             504 => 'DEADLINE_EXCEEDED');

my %rough = (400 => 'INVALID_ARGUMENT', 402 => 'FAILED_PRECONDITION',
             403 => 'PERMISSION_DENIED', 406 => 'INVALID_ARGUMENT',
             409 => 'ABORTED', 411 => 'INVALID_ARGUMENT',
             414 => 'INVALID_ARGUMENT', 422 => 'INVALID_ARGUMENT',
             423 => 'FAILED_PRECONDITION', 424 => 'FAILED_PRECONDITION',
             451 => 'PERMISSION_DENIED', 507 => 'RESOURCE_EXHAUSTED');

my @words = (
    [ RESOURCE_EXHAUSTED => qr/too\ many|rate.?limit|throttl|quota|flood
        |limit\ (?:is\ )?(?:reached|exceeded)|exceed\w*\ (?:the\ )?(?:\w+\ )?limit
        |frequen|qps|限流|流控|超限|频繁|頻繁|次数|配额|额度|流量|并发数|上限
        |余量不足|已满|用尽|用完|制限|초과|превышен/x ],
    [ DEADLINE_EXCEEDED => qr/time(?:d)?[\s_-]?out|deadline|too\ long\ to
        |超时|逾時|タイムアウト|시간\ ?초과|таймаут/x ],
    [ ALREADY_EXISTS => qr/already|duplicat|not\ unique|in\ use|twice
        |已存在|已经存在|重复|重複|已被占用|既に|이미|уже/x ],
    [ NOT_FOUND => qr/not\ (?:be\ )?(?:found|exist|known)|(?:does|do)\s?n.t\ exist
        |no\ such|\w\ unknown|unknown\ (?!(?:error|exception|fault|reason|problem)\b)\w|nonexist|notfound|missing\ resource
        |不存在|未找到|找不到|没有找到|查无|無此|見つかり|存在しない|없[음는습]
        |не\ найден|not\ exist/x ],
    [ UNAUTHENTICATED => qr/unauthori[sz]ed|unauthenticat|authenticat|\bsign\b
        |signature|credential|log(?:ged)?.?in|api.?key|access.?key|app.?key
        |(?:token|password|session|secret)|not\ authori[sz]ed
        |签名|簽章|令牌|登录|登入|鉴权|鑑權|认证|驗證|密码|密钥|ticket|認証|인증
        |авториз|токен|подпис/x ],
    [ PERMISSION_DENIED => qr/permission|forbidden|denied|not\ allowed|no\ right
        |privilege|white.?list|blocked|banned|blacklist|not\ permitted|access
        |权限|權限|无权|無權|禁止|白名单|黑名单|拒绝|許可|権限|권한|запрещ|прав/x ],
    [ UNIMPLEMENTED => qr/not\ (?:yet\ )?(?:supported|implemented)|unsupported
        |unimplemented|deprecated|no\ longer|不支持|不支援|未实现|下线|未対応
        |지원|не\ поддерж/x ],
    [ UNAVAILABLE => qr/\bbusy\b|unavailable|try\ (?:it\ )?again|maintenance
        |overload|offline|retry\ later|later|cannot\ connect|network|connection
        |繁忙|忙|稍后|稍後|维护|維護|不可用|离线|网络|混雑|メンテ|점검|недоступ/x ],
    [ ABORTED => qr/conflict|abort|concurren|\block(?:ed)?\b|race|in\ progress
        |冲突|衝突|并发|进行中|处理中|被修改|処理中|競合|충돌|конфликт/x ],
    [ CANCELLED => qr/cancell?ed|取消|キャンセル|취소|отмен/x ],
    [ OUT_OF_RANGE => qr/out\ of\ range|beyond|超出范围|越界|範囲外|범위/x ],
    [ DATA_LOSS => qr/corrupt|data\ loss|checksum|数据丢失|损坏/x ],
    [ FAILED_PRECONDITION => qr/insufficient|balance|disabled|inactive|suspend
        |not\ (?:yet\ )?(?:activated|enabled|verified|open|ready|registered|bound)
        |expired|frozen|closed|overdue|state\b|未开通|停用|冻结|余额|欠费|过期|失效
        |状态|未绑定|未激活|未注册|期限切れ|残高|만료|истек|средств/x ],
    [ INVALID_ARGUMENT => qr/invalid|missing|required|malform|\bbad\b|illegal|must
        |wrong|incorrect|empty|too\ (?:long|large|big|short|small)|parameter
        |\bparam|format|argument|not\ valid|unprocess|parse|syntax|null
        |参数|參數|格式|缺少|无效|無效|非法|不合法|为空|為空|不能为空|不正确|错误的
        |不是合法|过大|过小|过长|过短|过高|过低|太大|太小|太长|太短
        |不正|無効|必須|잘못|유효|невер|некоррект|отсутств/x ],
);


# suggest_class(status, success, text, ...): a class, or "TODO"

sub suggest_class {
    my ($status, $success, @texts) = @_;

    return 'OK' if $success;
    return $exact{$status} if $exact{$status};

    for my $text (map { lc } @texts) {
        $text =~ s/[_.]/ /g;

        next if $text =~ /internal|内部/ && $text !~ /invalid|time.?out|not found/;

        for (@words) {
            return $_->[0] if $text =~ $_->[1];
        }
    }

    return $rough{$status} // 'TODO';
}


1;
