public class Messages {
    static class Quiet extends Exception { Quiet(String m, Throwable c) { super(m, c, false, false); } }
    public static void main(String[] a) {
        new IllegalStateException("first\nsecond", new Quiet("quiet", null)).printStackTrace();
        System.err.println("served 1");
        System.err.println("served 2");
        new Quiet("alone", null).printStackTrace();
        System.err.println("served 3");
        Exception e = new RuntimeException("outer"); e.addSuppressed(new Quiet("in vain", null)); e.printStackTrace();
        throw new RuntimeException("third\n\nfourth", e);
    }
}
