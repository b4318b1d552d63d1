public class Bodies {
    static class Störung extends RuntimeException {
        Störung(String message) { super(message); }
    }

    static void call() { throw new IllegalStateException("upstream said 400: {\n  \"error\": {\n    \"code\": 400\n  }\n}"); }

    public static void main(String[] args) {
        try { call(); } catch (IllegalStateException e) { e.printStackTrace(); }
        System.err.println("next");
        new RuntimeException("bad\n[\nx\n]").printStackTrace();
        System.err.println("next");
        new Störung("bäm").printStackTrace();
        System.err.println("next");
        System.err.println("it failed: {");
        try { call(); } catch (IllegalStateException e) { throw new RuntimeException("said [", e); }
    }
}
