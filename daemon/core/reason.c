/* One table of patterns, a star for each part that varies; `$1` stands for the first of them in the
 * translation, `&1` for the same read as a reason again ("part progress: login refused"). The first pattern
 * that matches is taken, and a star takes as little as it can, so that what is particular comes before what
 * is general. A message catalogue by identifiers was the other way: it would have to be stored with each
 * reason, for ever. */
#include "core/reason.h"

#include "base/macro.h"

#define CAPTURES 5u
#define DEPTH 4u

typedef struct Pattern {
        const char *en, *vi;
} Pattern;

static const Pattern patterns[] = {
        /* which of the requests */
        {"part *, page *: *", "phần $1, trang $2: &3"},
        {"part * has a malformed pointer*", "phần $1: con trỏ sai$2"},
        {"part * has the unit * twice", "phần $1: đơn vị $2 có hai lần"},
        {"part *: *", "phần $1: &2"},
        {"token: *", "mã truy cập: &1"},
        /* core/polite, flow/fetch */
        {"* (HTTP *)", "&1 (HTTP $2)"},
        {"login refused", "từ chối đăng nhập"},
        {"refused", "bị từ chối"},
        {"too many requests", "hỏi quá nhiều"},
        {"not available", "tạm ngừng phục vụ"},
        {"not found", "không có trang này"},
        {"redirected", "bị chuyển sang nơi khác"},
        {"request not understood", "nguồn không hiểu yêu cầu"},
        {"server error", "máy chủ của nguồn bị lỗi"},
        {"no answer", "không trả lời"},
        {"unexpected status", "mã trả lời lạ"},
        {"block page", "trang chặn truy cập"},
        {"HTML instead of JSON*", "trả lời HTML thay vì JSON$1"},
        {"an empty answer instead of JSON*", "trả lời rỗng thay vì JSON$1"},
        {"wrong content type*", "sai loại nội dung$1"},
        {"more than * pages", "quá $1 trang"},
        {"the answer is larger than max_body", "trả lời lớn hơn max_body"},
        {"the answer was cut short: *", "trả lời bị cắt ngang: $1"},
        {"the parts did not come within * minutes of each other",
         "các phần không về trong vòng $1 phút của nhau"},
        {"torn: the first part changed while the others were asked, three times",
         "không khớp: phần đầu thay đổi trong lúc hỏi các phần khác, ba lần liền"},
        {"asked again: *", "hỏi lại: &1"},
        {"the answer holds no token at token.pointer", "trả lời không có mã ở token.pointer"},
        {"rejected", "bị loại"},
        /* core/decode */
        {"not JSON: *", "không phải JSON: $1"},
        {"truncated JSON: * brackets are open after * bytes",
         "JSON bị cắt: còn mở $1 ngoặc sau $2 byte"},
        {"truncated JSON: * bytes end inside a string", "JSON bị cắt: $1 byte, dừng giữa chuỗi"},
        {"JSON nested deeper than *", "JSON lồng sâu quá $1"},
        {"JSON of more than * values", "JSON có quá $1 giá trị"},
        {"no JSON object or array*", "không phải đối tượng hay mảng JSON$1"},
        {"no array of rows at '*'", "không có mảng dòng ở '$1'"},
        {"no array of rows", "không có mảng dòng"},
        {"no usable number of pages at *", "không đọc được số trang ở $1"},
        {"no rows*", "không có dòng nào$1"},
        {"row * has no unit code", "dòng $1 không có mã đơn vị"},
        {"a code or name of * bytes", "mã hoặc tên dài $1 byte"},
        {"more than * units", "quá $1 đơn vị"},
        {"the answer is about '*', asked was '*'", "trả lời là của '$1', đã hỏi '$2'"},
        {"the answer says 'nothing' where * was expected", "trả lời không có $1"},
        {"the answer says '*' where * was expected", "trả lời có '$1' ở chỗ phải là $2"},
        {"the list ends in \"*\": its * units are a lower bound",
         "danh sách kết thúc bằng \"$1\": $2 đơn vị chỉ là mức tối thiểu"},
        {"a derived figure is beyond all bounds", "số suy ra vượt mọi giới hạn"},
        {"* * is off the sum of its groups *", "$1 $2 lệch với tổng các nhóm $3"},
        {"* is beyond all bounds", "&1 vượt mọi giới hạn"},
        {"* is no number", "&1 không phải số"},
        {"*: a number", "$1: một số"},
        {"*: an array", "$1: một mảng"},
        {"*: an object", "$1: một đối tượng"},
        /* flow/cycle */
        {"a second row of a unit that this snapshot already has",
         "dòng thứ hai của một đơn vị đã có trong bản lấy này"},
        {"published change *, computed *", "nguồn công bố thay đổi $1, tính ra $2"},
        {"*: * after * as it was published before: ask the source",
         "$1: $2, trước đó công bố $3: hỏi lại nguồn"},
        {"*: * after * in the period before: ask the source", "$1: $2, kỳ trước $3: hỏi lại nguồn"},
        {"* figures jumped, * are noted singly", "$1 số liệu nhảy vọt, ghi riêng $2"},
        {"* units, min_units is *", "$1 đơn vị, min_units là $2"},
        {"* units, the last accepted snapshot had * (min_share * %)",
         "$1 đơn vị, bản được nhận trước đó có $2 (min_share $3 %)"},
        {"* of * values are bad", "$1 trong $2 giá trị bị hỏng"},
        {"* of * known figures of * are missing", "thiếu $1 trong $2 số liệu đã có của $3"},
        /* core/unit */
        {"code * belongs to several units: *", "mã $1 là của nhiều đơn vị: $2"},
        {"code * is * in the registry and was published as *: *",
         "mã $1 trong danh mục là $2, nguồn công bố là $3: $4"},
        {"* could be several units: *", "$1 có thể là nhiều đơn vị: $2"},
        {"* is not in the registry; similar: *", "$1 không có trong danh mục; gần giống: $2"},
        {"* is not in the registry", "$1 không có trong danh mục"},
        {"* has an unreadable name", "$1 có tên không đọc được"},
        {"'*' could be: *", "'$1' có thể là: $2"},
        /* files */
        {"no row can be used: *", "không dòng nào dùng được: &1"},
        {"no row can be used", "không dòng nào dùng được"},
        {"no row has a figure", "không dòng nào có số liệu"},
        {"no column names an indicator of source *", "không cột nào là chỉ số của nguồn $1"},
        {"the row has neither a code nor a name", "dòng không có mã cũng không có tên"},
        {"no unit is called '*': *", "không có đơn vị tên '$1': &2"},
        {"no unit of that code or name is known", "không có đơn vị mang mã hoặc tên ấy"},
        {"unit * stands on line * already", "đơn vị $1 đã có ở dòng $2"},
        {"columns * ('*') and * ('*') are both *: one of them must go",
         "cột $1 ('$2') và cột $3 ('$4') đều là $5: phải bỏ một"},
        {"no heading: no line has two cells or more",
         "không có dòng tiêu đề: không dòng nào có từ hai ô"},
        {"* columns, the heading has *", "$1 cột, dòng tiêu đề có $2"},
        {"more than * columns", "quá $1 cột"},
        {"more than * rows", "quá $1 dòng"},
        {"a quote that opens on this line is never closed",
         "dấu nháy mở ở dòng này không được đóng"},
        {"column *: a cell of more than * bytes", "cột $1: ô dài quá $2 byte"},
        {"the file is too large: at most * MiB of text", "tệp quá lớn: tối đa $1 MiB chữ"},
        {"the text is in *, an old eight-bit encoding: save it as UTF-8*",
         "tệp dùng bảng mã cũ $1: hãy lưu lại dạng UTF-8"},
        {"the text is neither UTF-8 nor UTF-16", "tệp không phải UTF-8 hay UTF-16"},
        {"*: a text that is too long", "$1: chữ quá dài"},
        {"*: a cell of type * (*), which is no figure", "$1: ô kiểu $2 ($3), không phải số liệu"},
        {"*: a list, which is no figure", "$1: một danh sách, không phải số liệu"},
        {"*: an object, which is no figure", "$1: một đối tượng, không phải số liệu"},
        {"*: true or false, which is no figure", "$1: true hoặc false, không phải số liệu"},
        {"the object has a member '*', which is not known: nothing was done",
         "đối tượng JSON có \"$1\", không rõ để làm gì; chưa làm gì"},
        {"a row has a member '*', which is not known: nothing was done",
         "một dòng có \"$1\", không rõ để làm gì; chưa làm gì"},
        {"workbook has a member '*', which is not known: nothing was done",
         "workbook có \"$1\", không rõ để làm gì; chưa làm gì"},
        {"this is no text file", "không phải tệp chữ"},
        {"* is a number: codes are text, zeros in front count",
         "$1 là số: mã phải là chữ, số 0 ở đầu có nghĩa"},
        {"period * has not begun: today is *", "kỳ $1 chưa bắt đầu: hôm nay là $2"},
        {"period * is of no type that source * has (periods = *)",
         "kỳ $1 không thuộc loại kỳ mà nguồn $2 có (periods = $3)"},
        {"* '*' is no number as the source writes them (*)",
         "$1 '$2' không phải số theo cách viết của nguồn ($3)"},
        {"a figure beside dots: whose it is, is not said",
         "có số liệu bên cạnh dấu ba chấm: không rõ của đơn vị nào"},
        {"a workbook: the inbox takes CSV and JSON; save the sheet as CSV (UTF-8), or give the "
         "file "
         "to chisoctl import",
         "tệp bảng tính: hộp nhận CSV và JSON; hãy lưu trang tính thành CSV (UTF-8), hoặc đưa tệp "
         "cho chisoctl import"},
        {"* of * rows refused; line *, column *: *",
         "$1 trong $2 dòng bị từ chối; dòng $3, cột $4: &5"},
        {"*: * is outside *..*", "$1: $2 ngoài khoảng $3..$4"},
        {"* * is outside *..*", "$1 $2 ngoài khoảng $3..$4"},
};

/* What a publisher or a file wrote may stand in a reason, and be made to match in ever new ways. */
#define STEPS_MAX 20000u

typedef struct Capture {
        const char *text;
        size_t n;
} Capture;

/* Whether the text (its end is `end`) is as the pattern; the parts under its stars, each the shortest. */
static bool match(const char *pattern, const char *text, const char *end, Capture *capture,
                  size_t left, unsigned *steps) {
        while (*pattern && *pattern != '*')
                if (text == end || *pattern++ != *text++)
                        return false;
        if (!*pattern)
                return text == end;
        if (left == 0)
                return false;
        for (const char *at = text; at <= end && ++*steps < STEPS_MAX; at++) {
                *capture = (Capture){.text = text, .n = (size_t) (at - text)};
                if (match(pattern + 1, at, end, capture + 1, left - 1, steps))
                        return true;
        }
        return false;
}

static int words(const char *text, size_t n, unsigned depth, Buf *out);

static int fill(const char *vi, const Capture *capture, unsigned depth, Buf *out) {
        int r = 0;

        for (; r == 0 && *vi; vi++) {
                bool is_place = (*vi == '$' || *vi == '&') && vi[1] >= '1' && vi[1] <= '5';

                if (!is_place) {
                        r = buf_char(out, *vi);
                        continue;
                }
                const Capture *c = capture + (vi[1] - '1');
                r = *vi == '&' ? words(c->text, c->n, depth + 1, out)
                               : buf_append(out, c->text, c->n);
                vi++;
        }
        return r;
}

static int words(const char *text, size_t n, unsigned depth, Buf *out) {
        Capture capture[CAPTURES];

        for (size_t i = 0; depth < DEPTH && i < ELEMENTSOF(patterns); i++) {
                unsigned steps = 0;

                if (match(patterns[i].en, text, text + n, capture, CAPTURES, &steps))
                        return fill(patterns[i].vi, capture, depth, out);
        }
        return buf_append(out, text, n);
}

int reason_words(const char *reason, Buf *out) {
        return words(reason, strlen(reason), 0, out);
}
