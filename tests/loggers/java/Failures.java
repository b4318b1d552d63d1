import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

public class Failures {
    private static final Logger LOG = LogManager.getLogger("shop.Failures");

    static void send() throws IOException {
        throw new IOException("no route\nto the bank");
    }

    static void refund(int order) {
        try {
            send();
        } catch (IOException cause) {
            throw new IllegalStateException("order " + order + "\nis not refunded", cause);
        }
    }

    public static void main(String[] args) {
        LOG.info("refunds:\n  - 4001\n  - 4002");
        try {
            refund(4001);
        } catch (IllegalStateException error) {
            LOG.error("it failed", error);
            LOG.error("it failed:\nsee the bank", error);
            LOG.error("it failed: " + error, error);
            LOG.error("it failed: " + error);
            LOG.info("retrying");
            LOG.error("it failed: {}", text(error));
            LOG.warn(error);
            LOG.error(error.getMessage(), error);
        }
        LOG.info("done");
    }

    static String text(Throwable error) {
        StringWriter all = new StringWriter();
        error.printStackTrace(new PrintWriter(all, true));
        return all.toString().trim();
    }
}
