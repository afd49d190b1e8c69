package remora.fixture;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;

/** Runs one OpenSearch node in this JVM: OpenSearchMain CONFIG_DIR HOME_DIR; ends on TERM. */
public final class OpenSearchMain {
    public static void main(String[] args) throws Exception {
        var home = Settings.builder().put("path.home", args[1]).build();
        var environment = InternalSettingsPreparer.prepareEnvironment(home, Map.of(), Path.of(args[0]), () -> "node");
        LogConfigurator.configure(environment);
        var node = new ClasspathNode(environment);
        var ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception error) {
                error.printStackTrace();
            }
            ended.countDown();
        }));
        node.start();
        ended.await();
    }
}
