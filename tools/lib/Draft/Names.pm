package Draft::Names;

# What the name of a column, of a member or of a heading says, in the languages
# that vendors write in.

use strict;
use warnings;
use utf8;

use Exporter qw(import);

our @EXPORT = qw(role about_errors about_others about_http
                 without_topics);

# the first that matches decides; blanks, "_" and "-" are gone

my @roles = (
    [ status => qr{^https?$|^https?(?:状态|狀態|响应|返回|回應)?(?:代?码|代?碼)?$
                   |https?(?:response|return|error)?(?:status|code|statuscode)
                   |(?:status|code)\W?https?|https?状态|https?ステータス
                   |https?상태|^(?:статус|statut|estado|stato|status)http|https?(?:статус|statut|estado)|^http(?:код|코드|コード|kod|códig|codic)
                   |^(?:status|statuscode|状态码?|状态代码|狀態碼|ステータス
                     |ステータスコード|상태|상태코드|статус|кодсостояния
                     |estado|statut|grpcstatus\W?http)$
                   |^応答ステータス}x ],

    [ advice => qr{建议|建議|处理|處理|解决|解決|方案|措施|排查|advice|solution
                   |solve|action|suggest|resol|recover|troubleshoot|remed
                   |howto|fix$|whattodo|対処|対策|対応|해결|조치|решени|действи
                   |lösung|solución|solução|çözüm|retr(?:y|iable)|重试|workaround
                   |nextstep|mitigat|^acci[oó]n|^aç[aã]o|^akcja|rozwiązani
                   |maßnahme|massnahme|abhilfe|behebung|rimedio|giải\W?pháp}x ],

    [ subcode => qr{sub\W?(?:err(?:or)?)?\W?(?:code|status)|(?:子|细分|明细|二级|業務子)
                    (?:错误|返回)?代?(?:码|碼)|サブコード|субкод|서브코드
                    |(?:detail|extended|specific|minor|inner)(?:ed)?(?:error)?code
                    |^error_?subcode|^subtype$}x ],

    [ field => qr{^(?:param|parameter|field|property|attribute|element|header
                   |node|argument|member)s?(?:name)?$|参数|參數|字段|欄位|属性|节点
                   |パラメータ|フィールド|項目|필드|매개변수|параметр|поле|^feld$
                   |campo|alan|^(?:required|optional|default|mandatory|必选|必填
                     |是否必.*|必須|필수|обязат.*|method|endpoint|path|url
                     |uri|format|max.?length|length)$}x ],

    [ errcode => qr{(?:err|errors?|fault|exception|fail|failure|ret|return
                      |results?|response|resp|reason|message|decline|refusal
                      |返|业务|business|biz|api|event|diagnostic|alert|reply
                      |completion|disconnect|close|sw|sqlstate)
                    \W?(?:codes?|no\.?|num|numbers?|ids?|key)$
                    |codes?(?:of|for)?(?:error|return|result|response|reason)
                    |(?:错误|返回|响应|结果|业务|异常|故障|失败|错误信息|状态返回)
                     (?:代?码|编[码号]|值|代号)
                    |(?:錯誤|回傳|返回|回應|結果|回覆|異常)(?:代?碼|代號|編號|值)
                    |(?:エラー|結果|応答|レスポンス|理由|リターン|返却)
                     (?:コード|番号|id)
                    |(?:에러|오류|응답|결과|리턴)(?:코드|번호)
                    |код\W?(?:ошиб|ответ|возвр|результ|помил)|номерошибки
                    |fehler(?:code|nummer|nr)|rückgabe(?:code|wert)|antwortcode
                    |code\W?d?\W?(?:erreur|retour|réponse|rejet)
                    |códigos?\W?(?:de|del|do)?\W?(?:erro|resp|ret|rechazo)
                    |codice\W?(?:di)?\W?(?:errore|risposta|ritorno)
                    |hatakodu|mãlỗi|kode(?:error|kesalahan|respon)|kodbłędu
                    |foutcode|felkod|virhekoodi|fejlkode|feilkode|hibakód
                    |chybovýkód|kódchyby|รหัส(?:ข้อ)?(?:ผิดพลาด|error)?
                    |رمزالخطأ|त्रुटिकोड|κωδικόςσφάλματος|^errno$|^sqlstate$|^errcode|^mãtrảvề$
                    |^error\W?code}x ],

    [ code => qr{^(?:代码|代號|代号|代碼|编码|编号|編號|編碼|码|碼|值|codes?
                    |code\W.*|code(?:and|和|与|及).+|コード|番号|코드|번호|код|номер|código|codice|kod
                    |kode|mã|koodi|kód|รหัส|رمز|dec|decimal|十进制|10進数?|10진수?
                    |numbers?|num|value|values|intvalue|numericcode
                    |[a-z]{0,12}codes?(?:\W.*)?|status\W?value|id|ec)$}x ],

    [ name => qr{^(?:errors?|names?|keys?|constants?|symbols?|symbolicname|enums?
                    |identifiers?|error(?:name|type|key|id|class|string|status|reason)
                    |exceptions?|conditionname|condition|reasons?|code(?:string|name|key)
                    |错误|錯誤|名称|名稱|标识|标识符|常量|枚举|枚举值|英文名
                    |错误(?:标识|名称?|类型|常量|key)|エラー|エラー名|定数|名前
                    |エラー種別|ошибк[аи]|имя|константа|오류|에러|이름|상수|fehler
                    |erreur|erro|errore|hata|kesalahan|nombre|nome|error\W?enum
                    |errorcode(?:name|string|enum)|mnemonic|macro|宏|宏定义|fault
                    |title|变量|变量名)$}x ],

    [ message => qr{message|msg|信息|訊息|消息|提示|メッセージ|메시지|сообщени
                    |mensa|mensaje|meldung|messag|errortext|^text$|pesan}x ],

    [ text => qr{desc|meaning|definition|explan|说明|說明|描述|含义|含義|意义|原因
                 |释义|解释|詳細|detail|説明|意味|内容|内容|備考|备注|注記|설명|내용
                 |의미|описани|значени|расшифр|причин|beschreib|bedeutung
                 |descri|signific|açıklama|môtả|deskripsi|opis|comment|note
                 |remark|cause|reason|text|summary|when|why|what|中文|英文|english
                 |kuvaus|beskrivning|คำอธิบาย|الوصف|विवरण|示例|example|usage
                 |条件|場合}x ],

    [ other => qr{^(?:\#|№|index|no\.?|nr\.?|seq|id|序号|序號|編號|type|kind|类型
                    |類型|级别|level|severity|category|module|模块|分类|分類|大类
                    |since|version|版本|date|hex|hexadecimal|十六进制|16進数?
                    |group|grp|area|scope|source|来源|direction|priority|class
                    |種別|種類|категория|тип|typ|유형|구분|分类|场景|field)$}x ],
);

my $error_re = qr{err(?:or|no|_|code|s\b|\b)|Err[A-Z]|(?<!de)fault|exception|fail
                  |declin|reject|refus|problem|returncode|return\scode
                  |result\s?code|response\s?code|reason\s?code|status\s?code
                  |reply\scode|sqlstate|错误|錯誤|返回码|返回值|响应码|异常|故障|失败
                  |结果码|状态码|回傳碼|エラー|結果コード|レスポンスコード|例外|오류
                  |에러|응답\s?코드|ошиб|помил|fehler|erreur|erro\b|errori?\b|hata
                  |lỗi|kesalahan|błęd|chyb|clos(?:e|ing)\s(?:event\s)?code|disconnect\s?(?:reason|code)|rcode|retcode|ret_?code|return_?code
                  |ผิดพลาด|الخطأ|σφάλμα|fout|felkod|virhe|(?:^|_|\b)codes?(?:\b|_|$)}xi;

my $other_re = qr{op\s?codes?|country|countries|currenc|language|locale|time\s?zone
                  |版本|version|history|changelog|release|更新|修订|修改记录|变更
                  |国家|地区码|币种|语言|国別|通貨|言語|국가|통화|валют|стран|язык
                  |events?\s(?:types?|list|names?)|^events?(?:\scodes?)?$|webhooks?|事件类型
                  |permissions?|scopes?|权限|feature|region|endpoints?|environment
                  |rate\slimits?$|limits?$|限制|method|方法|parameter|参数|請求
                  |请求参数|field|\bcampos\b|\bfelder\b|\bchamps\b|字段|header|data\stypes?|类型|银行|銀行|은행|ngân\shàng|^bancos?$|bank\scodes?
                  |(?:code|error)[\s_]?ranges?|码段|号段|省|城市|\bavs\b|\bcvv|\bcvc\b|city|area\scode|zip|postal|order\sstatus|\bstates\b|purposes?\b|card\s(?:codes?|compan(?:y|ies)|brands?)|订单状态|状态说明
                  |transaction\stypes?|payment\smethods?|message\stypes?|intents?
                  |package\stypes?|packet\stypes?|control\spackets?|function\s?codes?
                  |unit|qos|platform|频道|渠道|channel|model|sdk|glossary|术语
                  |abbreviat|sample|test\s(?:card|number|data)s?|fruit|color
                  |function\scode|categor(?:y|ies)|levels?\b|severit|flags?\b
                  |commands?$|命令|prefix|mcc\b|merchant\scategory|状态枚举}xi;


# "status", "code", ...: see above, or ""

sub role {
    my ($name) = @_;

    $name = lc($name // '');
    $name =~ tr/ａ-ｚ/a-z/;
    $name =~ s/[(（\[].*//s if $name !~ /^[(（\[]/;
    $name =~ s/[\s_*`:：.\/'’-]//g;

    for (@roles) {
        return $_->[0] if $name =~ $_->[1];
    }

    return '';
}


sub about_errors {
    return $_[0] =~ $error_re;
}


# versions, countries, opcodes, ...

sub about_others {
    return $_[0] =~ $other_re;
}


# the text without subjects that errors, too, may be about

sub without_topics {
    return $_[0] =~ s/(?:rate\s*)?limit(?:s|ing)?\b|permissions?\b|限制|权限//gir;
}


sub about_http {
    return $_[0] =~ /\bhttps?(?=\W|_|[^\x00-\x7f]|$)(?!:)/i
           && $_[0] =~ /码|碼|code|status|状态|ステータス|상태|статус|コード|код/i;
}


1;
