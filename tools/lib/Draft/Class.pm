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
        |frequen|qps|限流|流控|超限|(?<!大小|长度)超[过出]\w{0,6}限|频繁|頻繁|次数|配额|额度|流量|并发数|上限
        |余量不足|已满|用尽|用完|制限|초과|превышен
        |demasiad|muit[ao]s\ |trop\ de|zu\ viele|tropp[ei]\ |çok\ fazla
        |zbyt\ wiele|quá\ nhiều|terlalu\ banyak
        |l[ií]mite\ (?:\w+\ ){0,3}(?:exced|super|ultrapass|alcan|ating|dépass
        |attein|raggiun)
        |limit\w*\ (?:\w+\ ){0,2}(?:überschritten|erreicht|aşıldı)
        |przekroczono\ (?:\w+\ )?limit|kontingent|\bcuota|\bcota\b
        |quá\ giới\ hạn/x ],
    [ DEADLINE_EXCEEDED => qr/time(?:d)?[\s_-]?out|deadline|too\ long\ to|t(?:oo|a)k\w*\ too\ long
        |超时|逾時|タイムアウト|시간\ ?초과|таймаут
        |zeitüberschreitung|tiempo\ (?:\w+\ ){0,2}(?:agotado|excedido)
        |tempo\ (?:\w+\ ){0,2}(?:esgotado|excedido|scaduto)
        |délai\ (?:\S+\ ){0,2}(?:dépassé|expiré)|zaman\ aşımı
        |przekroczono\ czas|hết\ thời\ gian/x ],
    [ ALREADY_EXISTS => qr/already|duplicat|not\ unique|in\ use|twice
        |已存在|已经存在|重复|重複|已被占用|既に|이미|уже
        |\b[yj][aá]\ existe|existe\ déjà|déjà|bereits|esiste\ già|zaten
        |już\ istnieje|đã\ tồn\ tại|sudah\ ada|doppelt/x ],
    [ NOT_FOUND => qr/not\ (?:be\ )?(?:found|exist|known)|(?:does|do)\s?n.t\ exist
        |no\ such|\w(?<!error|fault|cause)(?<!reason)(?<!exception)(?<!error\ code)\ unknown
        |unknown\ (?!(?:error|exception|fault|reason|problem)\b)\w|nonexist|notfound|missing\ resource
        |不存在|未找到|找不到|没有找到|查无|無此|見つかり|存在しない|없[음는습]
        |не\ найден|not\ exist
        |n[oã]o?\ (?:encontrad|existe)|introuvable|n.existe\ pas
        |nicht\ (?:gefunden|vorhanden)|existiert\ nicht|non\ (?:trovat|esiste)
        |bulunamadı|nie\ (?:znaleziono|istnieje)|không\ (?:tìm\ thấy|tồn\ tại)
        |tidak\ ditemukan/x ],
    [ UNAUTHENTICATED => qr/unauthori[sz]ed|unauthenticat|authenticat|\bsign\b
        |signature|credential|log(?:ged)?.?in|api.?key|access.?key|app.?key
        |(?:token|password|session|secret)|not\ authori[sz]ed
        |签名|簽章|令牌|登录|登入|鉴权|鑑權|认证|驗證|密码|密钥|ticket|認証|인증
        |авториз|токен|подпис
        |contraseña|senha|mot\ de\ passe|passwort|\bparola|şifre|hasło
        |mật\ khẩu|kata\ sandi|\bfirma\ |assinatura|\bimza|podpis|chữ\ ký
        |autentica|authentifi|anmeld|schlüssel|\bclave\b|\bclé\b|\bchave\b
        |\bchiave\b|klucz|anahtar|khóa/x ],
    [ PERMISSION_DENIED => qr/permission|forbidden|denied|not\ allowed|no\ right
        |privilege|white.?list|blocked|banned|blacklist|not\ permitted|access
        |权限|權限|无权|無權|禁止|白名单|黑名单|拒绝|許可|権限|권한|запрещ|прав
        |permis[os]|prohibid|proibi[dt]|interdit|vietat|berechtigung
        |nicht\ (?:erlaubt|berechtigt)|\byetki|\bizin|uprawnie|zabronion|quyền
        |\bizin\b|gesperrt|bloque?[aé]d?|bloccat|engellen|zablokowan|\bacceso
        |\baccès|zugriff|dostęp\b/x ],
    [ UNIMPLEMENTED => qr/not\ (?:yet\ )?(?:supported|implemented)|unsupported
        |unimplemented|deprecated|no\ longer|不支持|不支援|未实现|下线|未対応
        |지원|не\ поддерж
        |no\ (?:soportad|implementad|admitid)|não\ (?:suportad|implementad)
        |non\ (?:supporté|implémenté|supportat)
        |pas\ (?:pris\ en\ charge|supporté)
        |nicht\ (?:unterstützt|implementiert)|desteklenm|nieobsługiwan
        |không\ hỗ\ trợ|tidak\ didukung/x ],
    [ UNAVAILABLE => qr/\bbusy\b|unavailable|bad\ gateway|try\ (?:it\ )?again|maintenance
        |overload|offline|retry\ later|later|cannot\ connect|network|connection
        |繁忙|忙|稍后|稍後|维护|維護|不可用|离线|网络|混雑|メンテ|점검|недоступ
        |no\ disponible|indispon|nicht\ (?:verfügbar|erreichbar)
        |non\ disponibil|kullanılam|niedostępn|không\ khả\ dụng|tidak\ tersedia
        |manten?imiento|manutenç|wartung|\bbakım|konserwac|bảo\ trì|más\ tarde
        |mais\ tarde|plus\ tard|später|più\ tardi|później|thử\ lại|\bnanti\b
        |ocupad|überlastet|surcharg|conexi[oó]n|conexão|connexion|verbindung
        |kết\ nối|połączeni|bağlantı/x ],
    [ ABORTED => qr/conflict|abort|concurren|\block(?:ed)?\b|race|in\ progress
        |冲突|衝突|并发|进行中|处理中|被修改|処理中|競合|충돌|конфликт
        |conflit|konflikt|çakışma/x ],
    [ CANCELLED => qr/cancell?ed|取消|キャンセル|취소|отмен
        |cancelad|annul|storniert|abgebrochen|\biptal|anulowan|đã\ hủy
        |dibatalkan/x ],
    [ OUT_OF_RANGE => qr/out\ of\ range|beyond|超出范围|越界|範囲外|범위
        |fuera\ de\ rango|fora\ do\ intervalo|hors\ limites|außerhalb/x ],
    [ DATA_LOSS => qr/corrupt|data\ loss|checksum|数据丢失|损坏/x ],
    [ FAILED_PRECONDITION => qr/insufficient|balance|disabled|inactive|suspend
        |not\ (?:yet\ )?(?:activated|enabled|verified|open|ready|registered|bound)
        |expired|frozen|closed|overdue|state\b|未开通|停用|冻结|余额|欠费|过期|失效
        |状态|未绑定|未激活|未注册|期限切れ|残高|만료|истек|средств
        |\bsaldo|guthaben|\bsolde|bakiye|\bfondos|\bfonds|\bfundos|số\ dư
        |insufficien|insuficien|nicht\ ausreichend|unzureichend|yetersiz
        |niewystarcz|không\ đủ|tidak\ cukup|expirad|expiré|abgelaufen|caducad
        |vencid|scadut|süresi\ dol|wygas|hết\ hạn|kedaluwarsa|deaktivi
        |desactivad|désactiv|inat[it]v/x ],
    [ INVALID_ARGUMENT => qr/invalid|missing|required|malform|\bbad\b|illegal|must
        |wrong|incorrect|empty|too\ (?:long|large|big|short|small)|parameter
        |\bparam|(?<!in)format|argument|not\ valid|unprocess|parse|syntax|null
        |参数|參數|格式|缺少|无效|無效|非法|不合法|为空|為空|不能为空|不正确|错误的
        |不是合法|(?:大小|长度)超|过大|过小|过长|过短|过高|过低|太大|太小|太长|太短
        |不正|無効|必須|잘못|유효|невер|некоррект|отсутств
        |inválid|\binvalid[ao]|invalide|ungültig|non\ valid|geçersiz|nieprawidł
        |không\ hợp\ lệ|tidak\ valid|falsch|fehl(?:t|end)|\bfaltan?\b|manqu
        |mancant|\beksik|\bbrak\b|thiếu|requerid|obrigatóri|obligatoi?r
        |erforderlich|zorunlu|wymagan|bắt\ buộc|incorre[ct]|\berrat[oa]|yanlış
        |błędn|\bvací|\bvazi|\bvide\b|\bleer\b/x ],
);


# suggest_class(status, success, text, ...): a class, or "TODO"

sub suggest_class {
    my ($status, $success, @texts) = @_;

    return 'OK' if $success;
    return $exact{$status} if $exact{$status};

    for my $text (map { (lc s/(?<=[a-z])(?=[A-Z])/ /gr, lc) } @texts) {
        $text =~ s/[_.]/ /g;

        next if $text =~ /internal|\bintern[oae]r?\b|wewnętrzn|dahili|nội bộ|内部/
                && $text !~ /invalid|time.?out|not found/;

        for (@words) {
            return $_->[0] if $text =~ $_->[1];
        }
    }

    return $rough{$status} // 'TODO';
}


1;
