/* Bytes as what a relay says, in pieces: the first byte is what it can do, and whether the connection
 * was used before; then pieces, each after a byte of its length. Between the pieces a part of what is
 * owed is sent. Whatever it says: no endless talk, a reason in bounds, "accepted" only when the whole
 * message had left, and no message to a recipient that was refused. */
#include "core/dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void) 0 : abort())

static size_t send_some(Dialogue *d, size_t most) {
        const char *p;
        size_t n = MIN(dialogue_pending(d, &p), most);

        dialogue_sent(d, n);
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char text[] = "A: b\r\n\r\n.x\r\n..\r\n";
        const DialogueMail mail = {"s@x.vn", "r@y.vn", text, sizeof text - 1};
        uint8_t first = size > 0 ? data[0] : 0;
        SmtpAbilities can = {first & 1, first & 2, first & 4, first & 8};
        Dialogue d;
        size_t n_sent = 0;

        dialogue_begin(&d, &mail, &can, first & 16, NULL, NULL);
        for (size_t at = 1; at < size && d.stage != DIALOGUE_OVER;) {
                size_t n = data[at++];
                n_sent += send_some(&d, first & 32 ? 7 : SIZE_MAX);
                n = MIN(n, size - at);
                while (n > 0 && d.stage != DIALOGUE_OVER) {
                        char *room;
                        size_t k = MIN(dialogue_space(&d, &room), n);
                        CHECK(k > 0);
                        memcpy(room, data + at, k);
                        dialogue_received(&d, k);
                        at += k;
                        n -= k;
                }
                smtp_abilities_read(&can, (const char *) data + at, size - at);
        }
        dialogue_break(&d, "the end");
        CHECK(d.stage == DIALOGUE_OVER && d.text.len > 0 && d.text.len <= DIALOGUE_MAX_TEXT);
        CHECK(n_sent < 1000);
        if (delivery_smtp_outcome(&d.report) == ATTEMPT_ACCEPTED)
                CHECK(d.report.is_data_done && !d.is_refused);
        if (d.report.is_rcpt_reply)
                CHECK(!d.report.is_data_begun && !d.report.is_data_done);
        dialogue_done(&d);
        return 0;
}
