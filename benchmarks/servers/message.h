/* 64 bytes that every server sends back: nginx takes them for a request of HTTP/0.9, which is
 * a line (and whose answer has no head), and is told to answer with the same. */
#define MESSAGE "GET /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"
#define SIZE (sizeof MESSAGE - 1)
_Static_assert(SIZE == 64, "64 bytes each way");
