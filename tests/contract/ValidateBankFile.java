import java.io.File;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.SchemaFactory;

/** An independent reader: validates files against a schema by the JDK, then counts and sums them. Prints "count sum" or the first error. */
public class ValidateBankFile {
    public static void main(String[] given) throws Exception {
        var factory = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI);
        factory.setProperty(XMLConstants.ACCESS_EXTERNAL_DTD, "");
        factory.setProperty(XMLConstants.ACCESS_EXTERNAL_SCHEMA, "");
        var schema = factory.newSchema(new File(given[0]));
        for (int place = 1; place < given.length; place++) {
            try {
                schema.newValidator().validate(new StreamSource(new File(given[place])));
                System.out.println(totals(given[place]));
            } catch (org.xml.sax.SAXParseException error) {
                System.out.println("invalid line " + error.getLineNumber());
            }
        }
    }

    private static String totals(String path) throws Exception {
        var builder = DocumentBuilderFactory.newInstance();
        builder.setNamespaceAware(true);
        var amounts = builder.newDocumentBuilder().parse(new File(path)).getElementsByTagNameNS("*", "InstdAmt");
        long sum = 0;
        for (int place = 0; place < amounts.getLength(); place++) {
            sum += Long.parseLong(amounts.item(place).getTextContent());
        }
        return amounts.getLength() + " " + sum;
    }
}
