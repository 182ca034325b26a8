/* Writes DIR/book.xlsx, DIR/again.xlsx (the same calls) and DIR/plain.xlsx, for a foreign reader
 * (export-read.py). */
#include <errno.h>
#include <stdio.h>

#include "base/timeutil.h"
#include "export/book.h"

static const BookColumn columns[] = {
        {.title = "Stt", .kind = BOOK_COUNT, .width = 6},
        {.title = "Mã", .kind = BOOK_CODE},
        {.title = "Tên cơ quan, đơn vị", .kind = BOOK_TEXT},
        {.title = "Điểm tổng hợp", .kind = BOOK_NUMBER, .decimals = 2},
        {.title = "Tăng, giảm", .kind = BOOK_CHANGE, .decimals = 2},
        {.title = "Bốn chữ số", .kind = BOOK_NUMBER, .decimals = 4},
        {.title = "Ngày", .kind = BOOK_DATE},
        {.title = "Lấy lúc", .kind = BOOK_INSTANT},
};

static void fill_rows(Book *book) {
        Day day = day_from_civil(2024, 9, 5);
        int64_t at_ms = day_start_ms(day) + 8 * MS_PER_HOUR + 3 * MS_PER_MINUTE;

        book_row(book,
                 (BookCell[]){BOOK_VALUE(1), BOOK_STRING("00123"), BOOK_STRING("Xã Thủ Sỹ"),
                              BOOK_VALUE(8271), BOOK_VALUE(-80), BOOK_VALUE(-99999999999999),
                              BOOK_VALUE(day), BOOK_VALUE(at_ms)},
                 8);
        book_row(book,
                 (BookCell[]){BOOK_VALUE(30204),
                              BOOK_STRING("=1+1"),
                              BOOK_STRING("=cmd|'/c x'!A1"),
                              {.text = "......", .value = DECIMAL_NONE, .tone = BOOK_MUTED},
                              {.value = 696, .tone = BOOK_GOOD},
                              {.value = 1, .tone = BOOK_CRITICAL}},
                 6);
        book_row(book,
                 (BookCell[]){BOOK_VALUE(0),
                              BOOK_STRING("+84"),
                              BOOK_STRING(" a & <b> \"c\" _x0041_\x01\xEF\xBF\xBE"),
                              {.value = 100000000000000, .tone = BOOK_WARNING},
                              BOOK_VALUE(0)},
                 5);
}

static void fill(Book *book) {
        book_sheet(book, &(BookSheet){.name = "Phụ lục: 8/2024 'A'",
                                      .title = "MỘT SỐ TIÊU CHÍ",
                                      .subtitle = "tháng 8/2024",
                                      .columns = columns,
                                      .n_columns = ELEMENTSOF(columns)});
        fill_rows(book);
        book_note(book, "Nguồn: Cổng Dịch vụ công quốc gia, lấy lúc 05/9/2024 08:03.");
        for (unsigned i = 0; i < 2; i++)
                book_sheet(book, &(BookSheet){.name = "Một cái tên dài hơn ba mươi mốt chữ cái",
                                              .columns = columns,
                                              .n_columns = 1,
                                              .is_portrait = true,
                                              .has_filter = true});
        book_row(book, (BookCell[]){BOOK_VALUE(7)}, 1);
        /* A cell holds 32,767 UTF-16 units; a letter beyond the first plane is two of them. */
        CLEANUP(buf_done) Buf text = BUF_INIT(1 << 20);
        for (unsigned i = 0; i < 20000 && buf_str(&text, "\U0001F600") == 0; i++)
                ;
        book_row(book, (BookCell[]){BOOK_STRING(buf_text(&text))}, 1);
}

static int write_book(const char *dir, const char *name) {
        const PackageInfo info = {.title = "Phụ lục <766>",
                                  .subject = "tháng 8/2024",
                                  .author = "UBND huyện Tiên Lữ",
                                  .created_ms = INT64_C(1725498000000)};
        CLEANUP(book_freep) Book *book = NULL;
        CLEANUP(buf_done) Buf bytes = BUF_INIT(PACKAGE_MAX), path = BUF_INIT(4096);

        int r = book_new(&info, &book);
        if (r < 0)
                return r;
        fill(book);
        r = book_finish(book, &bytes);
        if (r == 0)
                r = buf_printf(&path, "%s/%s", dir, name);
        FILE *file = r == 0 ? fopen(buf_text(&path), "we") : NULL;
        if (!file)
                return r < 0 ? r : -errno;
        size_t n = fwrite(buf_text(&bytes), 1, bytes.len, file);
        return fclose(file) == 0 && n == bytes.len ? 0 : -EIO;
}

int main(int argc, char **argv) {
        int r = argc == 2 ? write_book(argv[1], "book.xlsx") : -EINVAL;

        if (r == 0)
                r = write_book(argv[1], "again.xlsx");
        if (r < 0)
                (void) fprintf(stderr, "export-samples: %s\n", strerror(-r));
        return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
