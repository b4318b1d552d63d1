import java.util.logging.*;
public class Jul {
    public static void main(String[] a) {
        Logger log = Logger.getLogger("shop.Jul");
        log.info("served");
        try { pay(4); } catch (Exception e) { log.log(Level.SEVERE, "it failed", e); }
        log.warning("careful");
        try { pay(5); } catch (Exception e) { log.log(Level.WARNING, "order 5:\n  - 5001\nis not paid", e); }
        log.info("order 6:\n  - 6001");
        try { pay(6); } catch (Exception e) { log.log(Level.INFO, e, () -> "retried"); }
        log.log(Level.SEVERE, "alone");
        log.info("done");
    }
    static void pay(int n) throws Exception {
        try { throw new java.io.IOException("no money"); }
        catch (Exception e) { throw new IllegalStateException("order " + n, e); }
    }
}
