import java.io.IOException;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.apache.logging.log4j.ThreadContext;

public class Refund {
    private static final Logger LOG = LogManager.getLogger("shop.Refund");

    static void send() throws IOException {
        throw new IOException("no route to the bank");
    }

    static void refund(int order) {
        try {
            send();
        } catch (IOException cause) {
            throw new IllegalStateException("order " + order + " is not refunded", cause);
        }
    }

    public static void main(String[] args) {
        ThreadContext.put("order", "4000");
        LOG.info("refunded");
        try {
            refund(4001);
        } catch (IllegalStateException error) {
            LOG.error("it failed", error);
        }
        LOG.warn("done, with errors");
    }
}
