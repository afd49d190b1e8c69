package remora.fixture;

import java.util.List;
import org.opensearch.Version;
import org.opensearch.env.Environment;
import org.opensearch.node.Node;
import org.opensearch.plugins.PluginInfo;
import org.opensearch.transport.Netty4ModulePlugin;

/** A node with its HTTP part from the class path instead of from a directory of modules. */
final class ClasspathNode extends Node {
    ClasspathNode(Environment environment) {
        super(environment, List.of(netty()), false);
    }

    private static PluginInfo netty() {
        var name = Netty4ModulePlugin.class.getName();
        return new PluginInfo(name, "on the class path", "1", Version.CURRENT, "21", name, List.of(), false);
    }
}
